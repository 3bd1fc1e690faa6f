import type { SeenRecord } from './decode-all.ts';
import type { Dice } from './mutate.ts';

/** A contract's fields, with a second name for some of them, as the Avro schema of a reader that knows nothing of contracts. */
export const READER = {
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'id', type: ['null', 'long'], default: null },
    { name: 'user', aliases: ['uid', 'customer'], type: 'string' },
    { name: 'price', aliases: ['cost'], type: ['null', 'double'], default: null },
    { name: 'won', type: ['null', 'boolean'], default: null },
    { name: 'at', aliases: ['time'], type: ['null', 'long'], default: null },
    {
      name: 'auction',
      type: [
        'null',
        {
          type: 'record',
          name: 'Auction',
          fields: [
            { name: 'user_id', aliases: ['uid'], type: ['null', 'long'], default: null },
            { name: 'amount', type: ['null', 'double'], default: null },
          ],
        },
      ],
      default: null,
    },
  ],
};

export const CONTRACT_FIELDS = [
  { paths: [['id']] },
  { paths: [['user'], ['uid'], ['customer']] },
  { paths: [['price'], ['cost']] },
  { paths: [['won']] },
  { paths: [['at'], ['time']] },
  {
    paths: [
      ['auction', 'user_id'],
      ['auction', 'uid'],
    ],
  },
  { paths: [['auction', 'amount']] },
];

/** What that reader makes of a record, in the words of a sink. `unit`: microseconds of one of its times. */
export function seenByReader(value: Record<string, unknown>, unit: bigint): SeenRecord {
  const seen: Record<string, readonly ['number' | 'text' | 'boolean' | 'micros', string]> = {};
  const unwrap = (wrapped: unknown): unknown => (wrapped !== null && typeof wrapped === 'object' ? Object.values(wrapped)[0] : wrapped);
  const add = (name: string, kind: 'number' | 'text' | 'boolean' | 'micros', wrapped: unknown) => {
    const single = unwrap(wrapped);
    if (single !== null) seen[name] = [kind, kind === 'micros' ? String(BigInt(single as number) * unit) : String(single)];
  };
  add('id', 'number', value.id);
  add('user', 'text', value.user);
  add('price', 'number', value.price);
  add('won', 'boolean', value.won);
  add('at', 'micros', value.at);
  const auction = unwrap(value.auction) as Record<string, unknown> | null;
  add('auction.user_id', 'number', auction?.user_id ?? null);
  add('auction.amount', 'number', auction?.amount ?? null);
  return seen as SeenRecord;
}

interface WrittenField {
  readonly name: string;
  readonly type: unknown;
  readonly make: () => unknown;
}

export interface WriterVersion {
  readonly schema: unknown;
  readonly make: () => unknown;
  /** Microseconds of one of its times. */
  readonly unit: bigint;
}

/** A version of a writer's schema: fields added and left out, under names of old, of smaller types, nullable or not, in any order. */
export function writerVersion(dice: Dice): WriterVersion {
  const millis = dice.below(2) === 0;
  const time = { type: 'long', logicalType: millis ? 'timestamp-millis' : 'timestamp-micros' };
  const fields = shuffled(dice, [
    ...maybe(dice, () => nullable(dice, { name: 'id', ...whole(dice) })),
    { name: dice.oneOf(['user', 'uid', 'customer']), ...word(dice) },
    ...maybe(dice, () => nullable(dice, { name: dice.oneOf(['price', 'cost']), ...amount(dice) })),
    ...maybe(dice, () => nullable(dice, { name: 'won', type: 'boolean', make: () => dice.below(2) === 0 })),
    ...maybe(dice, () => nullable(dice, { name: dice.oneOf(['at', 'time']), type: time, make: () => BigInt(1_767_225_600_000 + dice.below(1e9)) })),
    ...maybe(dice, () => auctionField(dice)),
    ...Array.from({ length: dice.below(4) }, (_, i) => unknownField(dice, `other_${i}`)),
  ]);
  return { schema: recordSchema('Event', fields), make: () => valuesOf(fields), unit: millis ? 1_000n : 1n };
}

function auctionField(dice: Dice): WrittenField {
  const fields = shuffled(dice, [
    ...maybe(dice, () => nullable(dice, { name: dice.oneOf(['user_id', 'uid']), ...whole(dice) })),
    ...maybe(dice, () => nullable(dice, { name: 'amount', ...amount(dice) })),
    unknownField(dice, 'floor'),
  ]);
  return nullable(dice, { name: 'auction', type: recordSchema('Auction', fields), make: () => valuesOf(fields) }, 'Auction');
}

function whole(dice: Dice): Omit<WrittenField, 'name'> {
  if (dice.below(2) === 0) return { type: 'int', make: () => dice.below(2 ** 31) - 2 ** 30 };
  return { type: 'long', make: () => BigInt(dice.below(2 ** 32)) * BigInt(dice.below(2 ** 31)) };
}

/** Numbers that a float holds exactly, so that the reader's doubles have the digits that were written. */
function amount(dice: Dice): Omit<WrittenField, 'name'> {
  const type = dice.oneOf(['int', 'float', 'double']);
  return { type, make: () => (type === 'int' ? dice.below(1000) : dice.below(1 << 20) / 64) };
}

function word(dice: Dice): Omit<WrittenField, 'name'> {
  const isText = dice.below(3) > 0;
  const make = () => dice.oneOf(['u-1', '', 'żółć', 'x'.repeat(200)]);
  return isText ? { type: 'string', make } : { type: 'bytes', make: () => Buffer.from(make()) };
}

function unknownField(dice: Dice, name: string): WrittenField {
  return dice.oneOf<WrittenField>([
    { name, type: 'string', make: () => 'something' },
    { name, type: { type: 'map', values: 'int' }, make: () => ({ a: 1, b: 2 }) },
    { name, type: { type: 'array', items: ['null', 'string'] }, make: () => [null, { string: 'x' }] },
    { name, type: 'double', make: () => 1.25 },
  ]);
}

/** As it is, or in a union with null, at either place. */
function nullable(dice: Dice, field: WrittenField, branch = branchOf(field.type)): WrittenField {
  if (dice.below(2) === 0) return field;
  const type = dice.below(2) === 0 ? ['null', field.type] : [field.type, 'null'];
  return { ...field, type, make: () => (dice.below(3) === 0 ? null : { [branch]: field.make() }) };
}

function branchOf(type: unknown): string {
  return typeof type === 'string' ? type : String((type as { type: unknown }).type);
}

function maybe(dice: Dice, make: () => WrittenField): WrittenField[] {
  return dice.below(4) === 0 ? [] : [make()];
}

function shuffled<T>(dice: Dice, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = dice.below(i + 1);
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}

function recordSchema(name: string, fields: readonly WrittenField[]): unknown {
  return { type: 'record', name, fields: fields.map((field) => ({ name: field.name, type: field.type })) };
}

function valuesOf(fields: readonly WrittenField[]): Record<string, unknown> {
  return Object.fromEntries(fields.map(({ name, make }) => [name, make()]));
}
