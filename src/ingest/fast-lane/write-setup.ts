import { FieldPlan, pathsOf, Reader } from '../../contracts/field-plan.ts';
import type { EventType } from '../../domain/feeds.ts';
import { contentOrder, tagOf } from '../content-hash.ts';
import { type FieldSlot, fieldSlots } from '../field-slots.ts';
import { IDENTITY_RULES } from '../identify.ts';
import type { KernelMemory } from './kernel-memory.ts';
import { KeyNodes } from './key-nodes.ts';
import type { LaneOptions } from './lane-options.ts';
import type { LaneSegment } from './lane-segment.ts';
import * as layout from './layout.ts';

/** Writes all that decides what records become into the kernel's memory, from the same rules that the rest of the edge has. */
export function writeSetup(
  memory: KernelMemory,
  segment: LaneSegment,
  eventType: EventType,
  { contract, rules, currency }: LaneOptions,
): { readonly address: number; readonly keys: KeyNodes } {
  const slots = fieldSlots(contract);
  const fields = writeFields(
    memory,
    segment,
    contract.fields.map((field) => new FieldPlan(field)),
    slots,
  );
  const addressOf = (column: string) => {
    const slot = slots.get(column)?.slot;
    return slot === undefined ? 0 : fields + slot * layout.FIELD_BYTES;
  };
  // Values are trimmed before they are compared.
  const spellings = [...new Set(rules.nullSpellings.map((spelling) => spelling.replace(/^[ \t]+|[ \t]+$/g, '')))];
  const nulls = spellings.filter((spelling) => spelling !== '').map((spelling) => UTF8.encode(spelling));
  const identity = IDENTITY_RULES[eventType];
  const idPrefix = UTF8.encode(`${eventType}\x1fid\x1f`);
  const naturalPrefix = UTF8.encode(`${eventType}\x1fnatural\x1f`);
  const [first = 0, second = 0, third = 0] = UTF8.encode(currency);
  const keys = new KeyNodes(memory, contract.fields.map(pathsOf), fields);
  const words = new Int32Array(layout.SETUP_WORDS);
  words[layout.SETUP_FIELDS] = fields;
  words[layout.SETUP_FIELD_COUNT] = contract.fields.length;
  words[layout.SETUP_ROOT_NODE] = keys.root;
  words[layout.SETUP_NULL_SPELLINGS] = memory.texts(nulls);
  words[layout.SETUP_EMPTY_IS_NULL] = spellings.includes('') ? 1 : 0;
  words[layout.SETUP_LONGEST_NULL] = Math.max(0, ...nulls.map(({ length }) => length));
  words[layout.SETUP_NUMBERS_MAY_BE_NULL] = spellings.some((spelling) => /^-?\d/.test(spelling)) ? 1 : 0;
  words[layout.SETUP_ID_FIELD] = identity.id === undefined ? 0 : addressOf(identity.id);
  words[layout.SETUP_ID_PREFIX] = memory.text(idPrefix);
  words[layout.SETUP_ID_PREFIX_LENGTH] = idPrefix.length;
  words[layout.SETUP_NATURAL_PREFIX] = memory.text(naturalPrefix);
  words[layout.SETUP_NATURAL_PREFIX_LENGTH] = naturalPrefix.length;
  words[layout.SETUP_NATURAL_FIELDS] = memory.words([identity.natural.length, ...identity.natural.map(addressOf)]);
  words[layout.SETUP_CONTENT_FIELDS] = memory.pairs(contentOrder([...slots.values()]).map(({ column }) => [addressOf(column), tagOf(column)]));
  words[layout.SETUP_USER_FIELD] = addressOf('user_id');
  words[layout.SETUP_AGENT_FIELD] = addressOf('user_agent');
  words[layout.SETUP_AGENT_TAG] = tagOf('user_agent');
  words[layout.SETUP_TIME_FIELD] = addressOf('event_time');
  words[layout.SETUP_CURRENCY_FIELD] = addressOf('currency');
  words[layout.SETUP_CURRENCY] = first | (second << 8) | (third << 16);
  words[layout.SETUP_ASSUMES_UTC] = rules.timeZone === 'UTC' ? 1 : 0;
  words[layout.SETUP_EVENT_KEY] = segment.address('event_key');
  words[layout.SETUP_KEY_HASH] = segment.address('key_hash');
  words[layout.SETUP_CONTENT_HASH] = segment.address('content_hash');
  words[layout.SETUP_USER_HASH] = segment.address('user_hash');
  words[layout.SETUP_REPORT_DATE] = segment.address('report_date');
  words[layout.SETUP_BOT] = segment.address('bot');
  words[layout.SETUP_STAGE_ROW] = segment.address('stage_row');
  words[layout.SETUP_POSITION] = segment.address('position');
  return { address: memory.words(words), keys };
}

function writeFields(memory: KernelMemory, segment: LaneSegment, plans: readonly FieldPlan[], slots: ReadonlyMap<string, FieldSlot>): number {
  const address = memory.allocate(plans.length * layout.FIELD_BYTES);
  for (const [index, plan] of plans.entries()) {
    const { column } = plan.field;
    const at = address + index * layout.FIELD_BYTES;
    const values = memory.texts(plan.values);
    memory.setWord(at + layout.FIELD_READER, plan.reader);
    memory.setWord(at + layout.FIELD_REQUIRED, plan.required ? 1 : plan.mustBePresent ? 2 : 0);
    memory.setWord(at + layout.FIELD_PLAIN_LENGTH, plan.reader === Reader.enum ? LONGEST : Math.min(plan.plainLength, LONGEST));
    memory.setWord(at + layout.FIELD_VALUES, values);
    memory.setWord(at + layout.FIELD_LETTERS, plan.letters);
    memory.setWord(at + layout.FIELD_COLUMN, segment.address(column));
    memory.setWord(at + layout.FIELD_IS_TEXT, slots.get(column)?.isText ? 1 : 0);
    memory.view.setBigInt64(at + layout.FIELD_MINIMUM, wholeBound(Math.ceil(plan.minimum)), true);
    memory.view.setBigInt64(at + layout.FIELD_MAXIMUM, wholeBound(Math.floor(plan.maximum)), true);
  }
  return address;
}

const LONGEST = 2 ** 31 - 1;
const UTF8 = new TextEncoder();

/** Values are whole numbers, so the nearest whole bound inside says the same. */
function wholeBound(bound: number): bigint {
  if (bound === Number.NEGATIVE_INFINITY) return -(2n ** 63n);
  return bound === Number.POSITIVE_INFINITY ? 2n ** 63n - 1n : BigInt.asIntN(64, BigInt(bound));
}
