import type { NormalisedRecord } from '../contracts/contract.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import type { EventType } from '../domain/feeds.ts';
import type { KeyHasher } from '../domain/murmur3.ts';
import { type FieldSlot, hashField } from './field-slots.ts';

/**
 * event_key (SEMANTICS §5): a pure function of the event type and the explicit id where there is one, else of the fields that
 * make the event what it is. The source is no part of it, so the same event by stream and by backfill is one event.
 */
interface IdentityRule {
  /** Column of the explicit id. */
  readonly id?: string;
  /** Used where there is no explicit id and the first of these columns holds a value. */
  readonly order?: readonly string[];
  readonly natural: readonly string[];
}

export const IDENTITY_RULES: Readonly<Record<EventType, IdentityRule>> = {
  impression: { id: 'impression_id', natural: ['user_id', 'creative_id', 'event_time', 'website'] },
  click: { id: 'event_id', natural: ['user_id', 'campaign_id', 'event_time'] },
  conversion: { id: 'event_id', order: ['order_id', 'conversion_type'], natural: ['user_id', 'campaign_id', 'conversion_type', 'event_time', 'value_micros'] },
  bid_request: { id: 'request_id', natural: ['user_id', 'space_id', 'event_time', 'amount_cpm_micros'] },
};

export class EventIdentifier {
  private readonly eventType: EventType;
  private readonly id: FieldSlot | undefined;
  private readonly order: readonly FieldSlot[];
  private readonly natural: readonly FieldSlot[];
  private readonly hasher: KeyHasher;

  constructor(eventType: EventType, slots: ReadonlyMap<string, FieldSlot>, hasher: KeyHasher) {
    const rule = IDENTITY_RULES[eventType];
    this.eventType = eventType;
    this.hasher = hasher;
    this.id = rule.id === undefined ? undefined : slots.get(rule.id);
    this.order = (rule.order ?? []).map((column) => requiredSlot(slots, column));
    this.natural = rule.natural.map((column) => requiredSlot(slots, column));
  }

  /** Leaves the key in the hasher. */
  identify(record: NormalisedRecord): void {
    const { hasher, id, order } = this;
    hasher.begin();
    hasher.ascii(this.eventType);
    if (id !== undefined && record.present[id.slot] !== 0) {
      hasher.ascii('id');
      hashField(record, id, hasher);
    } else if (order.length > 0 && record.present[(order[0] as FieldSlot).slot] !== 0) {
      hasher.ascii('order');
      for (const part of order) hashField(record, part, hasher);
    } else {
      hasher.ascii('natural');
      for (const part of this.natural) hashNaturalPart(record, part, hasher);
    }
    hasher.finish();
  }
}

/** An absent part of a natural key is a part of no bytes. */
function hashNaturalPart(record: NormalisedRecord, part: FieldSlot, hasher: KeyHasher): void {
  if (record.present[part.slot] === 0) hasher.ascii('');
  else hashField(record, part, hasher);
}

function requiredSlot(slots: ReadonlyMap<string, FieldSlot>, column: string): FieldSlot {
  const slot = slots.get(column);
  if (slot === undefined) {
    throw new AdvertiseXError(
      'contract_invalid',
      `The contract has no field for the column ${column}, which identifies events`,
      'Put the field back; `advertisex contract check` lists the fields that may not be removed.',
    );
  }
  return slot;
}
