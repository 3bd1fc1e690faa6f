import type { SeenRecord, SeenValue } from './decode-all.ts';
import type { Dice } from './mutate.ts';
import { decimalFromUnits } from './plain-decimal.ts';

/** A type of a writer's schema, with values of it in the form avsc takes and what the decoder should see of them. */
interface Case {
  readonly schema: unknown;
  /** The name avsc wraps a union's value in. */
  readonly branch: string;
  readonly make: () => { readonly value: unknown; readonly seen: SeenValue };
}

export interface SchemaCase {
  readonly schema: unknown;
  readonly make: () => { readonly value: unknown; readonly record: SeenRecord };
  readonly unknownFields: readonly string[];
}

const LONGS = [
  0n,
  1n,
  -1n,
  63n,
  -64n,
  64n,
  8191n,
  268435455n,
  268435456n,
  9007199254740993n,
  36028797018963968n,
  72057594037927935n,
  9223372036854775807n,
  -9223372036854775808n,
];
const WORDS = ['', 'a', 'user-1', 'żółć', '😀', 'x'.repeat(70), 'y'.repeat(9000), '"quoted", and\nbroken', '\u0000'];

/** Random schemas of records with the tests' fields, in any type that Avro can give them, and others around them. */
export class SchemaCases {
  private readonly dice: Dice;
  private named = 0;

  constructor(dice: Dice) {
    this.dice = dice;
  }

  next(): SchemaCase {
    this.named = 0;
    const unknownFields: string[] = [];
    const top = this.recordOf(['id', 'user', 'price', 'won'], '', unknownFields);
    const auction = this.dice.below(4) === 0 ? undefined : this.recordOf(['user_id', 'amount'], 'auction.', unknownFields);
    const auctionName = this.name();
    const nullable = this.dice.below(2) === 0;
    const fields = [...top.fields];
    if (auction !== undefined) {
      const record = { type: 'record', name: auctionName, fields: auction.fields };
      fields.splice(this.dice.below(fields.length + 1), 0, { name: 'auction', type: nullable ? ['null', record] : record });
    }
    const schema = { type: 'record', name: 'Event', namespace: this.dice.oneOf(['com.ads', '']), fields };
    return {
      schema,
      unknownFields,
      make: () => {
        const { value, record } = top.make();
        if (auction === undefined) return { value, record };
        if (nullable && this.dice.below(3) === 0) return { value: { ...value, auction: null }, record };
        const inner = auction.make();
        return { value: { ...value, auction: nullable ? { [auctionName]: inner.value } : inner.value }, record: { ...record, ...inner.record } };
      },
    };
  }

  private recordOf(names: readonly string[], prefix: string, unknownFields: string[]) {
    const known = names.filter(() => this.dice.below(5) > 0).map((name) => ({ name, type: this.anyType(2), isKnown: true }));
    const unknown = Array.from({ length: this.dice.below(4) }, (_, i) => ({ name: `other_${i}`, type: this.anyType(3), isKnown: false }));
    // Not empty: a record of no bytes is refused.
    const certain = { name: 'certain', type: this.long(), isKnown: false };
    const members = [...unknown.slice(0, 2), ...known, ...unknown.slice(2), certain];
    unknownFields.push(...members.filter(({ isKnown }) => !isKnown).map(({ name }) => `${prefix}${name}`));
    return {
      fields: members.map(({ name, type }): { name: string; type: unknown } => ({ name, type: type.schema })),
      make: () => {
        const values = members.map((member) => ({ ...member, ...member.type.make() }));
        return {
          value: Object.fromEntries(values.map(({ name, value }) => [name, value])),
          record: Object.fromEntries(values.filter(({ isKnown }) => isKnown).map(({ name, seen }) => [`${prefix}${name}`, seen])) as SeenRecord,
        };
      },
    };
  }

  private anyType(depth: number): Case {
    const single = [
      this.string,
      this.long,
      this.int,
      this.double,
      this.boolean,
      this.bytes,
      this.enum,
      this.fixed,
      this.timestamp,
      this.decimal,
      this.date,
      this.null,
      this.uuid,
    ];
    const nested = [this.union, this.array, this.map, this.record, this.list];
    return this.dice.oneOf(depth > 0 ? [...single, ...nested] : single).call(this, depth);
  }

  private string(): Case {
    return {
      schema: this.dice.oneOf<unknown>(['string', { type: 'string', logicalType: 'uuid' }]),
      branch: 'string',
      make: () => this.textValue(),
    };
  }

  private bytes(): Case {
    return {
      schema: 'bytes',
      branch: 'bytes',
      make: () => {
        const { value, seen } = this.textValue();
        return { value: Buffer.from(value), seen };
      },
    };
  }

  private long(): Case {
    return { schema: 'long', branch: 'long', make: () => this.longValue() };
  }

  private int(): Case {
    return {
      schema: 'int',
      branch: 'int',
      make: () => made(this.dice.oneOf([0, 1, -1, 2147483647, -2147483648, 300]), (value) => ['number', String(value)]),
    };
  }

  private double(): Case {
    const schema = this.dice.oneOf(['double', 'float']);
    const values = [0, 1.5, -0.25, 1e21, 3, 0.1, 1 / 3, 2.847, 123456.789, 1e-7, 5e-324, Number.NaN, Number.NEGATIVE_INFINITY];
    return {
      schema,
      branch: schema,
      make: () => {
        const value = schema === 'float' ? Math.fround(this.dice.oneOf(values)) : this.dice.oneOf(values);
        return { value, seen: [Number.isFinite(value) ? 'number' : 'text', String(value)] };
      },
    };
  }

  private boolean(): Case {
    return { schema: 'boolean', branch: 'boolean', make: () => made(this.dice.below(2) === 0, (value) => ['boolean', String(value)]) };
  }

  private null(): Case {
    return { schema: 'null', branch: 'null', make: () => ({ value: null, seen: ['null', ''] }) };
  }

  private enum(): Case {
    const name = this.name();
    const symbols = Array.from({ length: 1 + this.dice.below(100) }, (_, i) => `S${i}`);
    return { schema: { type: 'enum', name, symbols }, branch: name, make: () => made(this.dice.oneOf(symbols), (value) => ['text', value]) };
  }

  private fixed(): Case {
    const name = this.name();
    return { schema: { type: 'fixed', name, size: 5 }, branch: name, make: () => ({ value: Buffer.from('fixed'), seen: ['text', 'fixed'] }) };
  }

  private uuid(): Case {
    const name = this.name();
    const value = Buffer.from(Array.from({ length: 16 }, () => this.dice.below(256)));
    const text = value.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    return { schema: { type: 'fixed', name, size: 16, logicalType: 'uuid' }, branch: name, make: () => ({ value, seen: ['text', text] }) };
  }

  private timestamp(): Case {
    const unit = this.dice.oneOf(['millis', 'micros', 'nanos']);
    const schema = { type: 'long', logicalType: `${this.dice.oneOf(['', 'local-'])}timestamp-${unit}` };
    return {
      schema,
      branch: 'long',
      make: () => {
        const value = this.dice.oneOf([...LONGS, 1767225600123n, 1767225600123456n, 1767225600123456789n]);
        const micros = unit === 'millis' ? value * 1000n : unit === 'nanos' ? value / 1000n : value;
        return { value, seen: ['micros', String(micros)] };
      },
    };
  }

  private date(): Case {
    return { schema: { type: 'int', logicalType: 'date' }, branch: 'int', make: () => ({ value: 20454, seen: ['text', '2026-01-01'] }) };
  }

  private decimal(): Case {
    const scale = this.dice.oneOf([0, 2, 6, 20]);
    const size = 1 + this.dice.below(20);
    const isFixed = this.dice.below(2) === 0;
    const name = this.name();
    const logical = { logicalType: 'decimal', precision: 40, scale };
    return {
      schema: isFixed ? { type: 'fixed', name, size, ...logical } : { type: 'bytes', ...logical },
      branch: isFixed ? name : 'bytes',
      make: () => {
        const value = Buffer.from(Array.from({ length: size }, () => this.dice.oneOf([0, 255, 128, 127, this.dice.below(256)])));
        return { value, seen: ['number', decimalFromUnits(value, scale)] };
      },
    };
  }

  private union(depth: number): Case {
    const inner = this.dice.oneOf([this.string, this.long, this.record, this.enum, this.timestamp, this.double]).call(this, depth - 1);
    const other = this.dice.oneOf([this.boolean, this.null]).call(this);
    const cases = this.dice.below(2) === 0 ? [other, inner] : [inner, other];
    return {
      schema: cases.map(({ schema }) => schema),
      branch: '',
      make: () => {
        const chosen = this.dice.oneOf(cases);
        const { value, seen } = chosen.make();
        return { value: value === null ? null : { [chosen.branch]: value }, seen };
      },
    };
  }

  private array(depth: number): Case {
    const items = this.anyType(depth - 1);
    const make = () => ({ value: Array.from({ length: this.dice.below(4) }, () => items.make().value), seen: ['nested', ''] as const });
    return { schema: { type: 'array', items: items.schema }, branch: 'array', make };
  }

  private map(depth: number): Case {
    const values = this.anyType(depth - 1);
    const make = () => ({
      value: Object.fromEntries(Array.from({ length: this.dice.below(4) }, (_, i) => [`key${i}`, values.make().value])),
      seen: ['nested', ''] as const,
    });
    return { schema: { type: 'map', values: values.schema }, branch: 'map', make };
  }

  private record(depth: number): Case {
    const name = this.name();
    const fields = Array.from({ length: this.dice.below(4) }, (_, i) => ({ name: `f${i}`, type: this.anyType(depth - 1) }));
    const make = () => ({ value: Object.fromEntries(fields.map((field) => [field.name, field.type.make().value])), seen: ['nested', ''] as const });
    return { schema: { type: 'record', name, fields: fields.map((field) => ({ name: field.name, type: field.type.schema })) }, branch: name, make };
  }

  /** A record that holds itself. */
  private list(): Case {
    const name = this.name();
    const make = () => {
      let value: unknown = { item: 'last', next: null };
      for (let left = this.dice.below(5); left > 0; left--) value = { item: 'one', next: { [name]: value } };
      return { value, seen: ['nested', ''] as const };
    };
    const fields = [
      { name: 'item', type: 'string' },
      { name: 'next', type: ['null', name] },
    ];
    return { schema: { type: 'record', name, fields }, branch: name, make };
  }

  private textValue(): { readonly value: string; readonly seen: SeenValue } {
    const value = this.dice.oneOf(WORDS);
    return { value, seen: ['text', value] };
  }

  private longValue(): { readonly value: bigint; readonly seen: SeenValue } {
    const value =
      this.dice.below(2) === 0
        ? this.dice.oneOf(LONGS)
        : BigInt.asIntN(64, BigInt(this.dice.below(2 ** 32)) * BigInt(this.dice.below(2 ** 32)) * BigInt(this.dice.below(8)));
    return { value, seen: ['number', String(value)] };
  }

  /** In a namespace of its own, so that no name depends on where it stands. */
  private name(): string {
    return `ns.N${this.named++}`;
  }
}

function made<T>(value: T, seen: (value: T) => SeenValue): { readonly value: T; readonly seen: SeenValue } {
  return { value, seen: seen(value) };
}
