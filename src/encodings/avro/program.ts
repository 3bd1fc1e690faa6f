import type { AvroProgram } from '../decoder.ts';
import type { FieldNode } from '../field-tree.ts';
import { MAX_UNKNOWN_NAMES, unknownFieldName } from '../unknown-fields.ts';
import { type AvroField, type AvroItems, type AvroRecord, type AvroType, type Logical, type Primitive, SchemaProblem } from './schema.ts';

/** What the bytes of a record hold, in order. Operands follow in the code. `field`: slot of a contract field. */
export const Op = {
  /** Returns from the record or from `call`. */
  end: 0,
  /** bytes */
  skipFixed: 1,
  /** An int or long. */
  skipLong: 2,
  /** A string, or bytes. */
  skipBytes: 3,
  /** count: an index below it. */
  skipEnum: 4,
  /** address of the item's code, 1 if an item can be empty; items return with `end`. */
  skipArray: 5,
  skipMap: 6,
  /** address */
  call: 7,
  /** address */
  jump: 8,
  /** count, an address for each branch */
  union: 9,
  /** The record is none, where the schema lets a record be something else. */
  noRecord: 10,
  /** field: the value is there and is not a single one; skipping it follows. */
  markNested: 11,
  /** field */
  null: 12,
  boolean: 13,
  long: 14,
  float: 15,
  double: 16,
  text: 17,
  date: 18,
  /** field, bytes */
  fixedText: 19,
  /** field */
  uuid: 20,
  /** field, index of the table of symbols */
  enum: 21,
  /** field, power of ten that makes the number microseconds: 3, 0 or -3 */
  timestamp: 22,
  /** field, scale */
  decimalBytes: 23,
  /** field, scale, bytes */
  decimalFixed: 24,
} as const;

const READS = { null: Op.null, boolean: Op.boolean, float: Op.float, double: Op.double, bytes: Op.text, string: Op.text } as const;
const SKIPS: Readonly<Record<Primitive, readonly number[]>> = {
  null: [],
  boolean: [Op.skipFixed, 1],
  int: [Op.skipLong],
  long: [Op.skipLong],
  float: [Op.skipFixed, 4],
  double: [Op.skipFixed, 8],
  bytes: [Op.skipBytes],
  string: [Op.skipBytes],
};

/** A writer's schema compiled against the contract: read this, skip that. The record's code starts at 0. */
export interface Program extends AvroProgram {
  /** Dotted names of fields that the contract does not know. */
  readonly unknownNames: readonly string[];
}

/** A schema whose records branch into more code than this is hostile. */
const MAX_CODE = 1_000_000;

export function compileProgram(schema: AvroType, contract: FieldNode): Program {
  return new ProgramCompiler().compile(schema, contract);
}

class ProgramCompiler {
  private readonly code: number[] = [];
  private readonly symbols: Uint8Array[][] = [];
  private readonly unknownNames = new Set<string>();
  /** Where records that are skipped have their code: once each, so that recursive schemas end and shared types do not multiply. */
  private readonly addresses = new Map<AvroRecord, number>();
  private readonly calls: { readonly at: number; readonly record: AvroRecord }[] = [];

  compile(schema: AvroType, contract: FieldNode): Program {
    if (isEmpty(schema, new Set())) throw new SchemaProblem('its records hold nothing');
    this.compileTop(schema, contract);
    this.emit(Op.end);
    this.compileCalled();
    const unknownNames = [...this.unknownNames].slice(0, MAX_UNKNOWN_NAMES).map((name) => unknownFieldName(new TextEncoder().encode(name)));
    return { code: Int32Array.from(this.code), symbols: this.symbols, unknownNames };
  }

  private compileTop(schema: AvroType, contract: FieldNode): void {
    if (schema.kind === 'record') {
      this.readRecord(schema, contract, '');
    } else if (schema.kind === 'union' && schema.branches.some(({ kind }) => kind === 'record')) {
      this.compileUnion(schema.branches, (branch) => {
        if (branch.kind === 'record') {
          this.readRecord(branch, contract, '');
        } else {
          this.emit(Op.noRecord);
          this.skip(branch);
        }
      });
    } else {
      throw new SchemaProblem(`its top type is ${schema.kind}, not a record`);
    }
  }

  private readRecord(record: AvroRecord, contract: FieldNode, prefix: string): void {
    const ownNames = new Set(record.fields.map(({ name }) => name));
    for (const field of record.fields) {
      const { name, type } = field;
      const known = knownKey(field, ownNames, contract);
      if (known === undefined) {
        this.unknownNames.add(`${prefix}${name}`);
        this.skip(type);
      } else {
        this.read(type, contract.children.get(known) as FieldNode, `${prefix}${known}.`);
      }
    }
  }

  private read(type: AvroType, contract: FieldNode, prefix: string): void {
    const { field } = contract;
    if (type.kind === 'union') {
      this.compileUnion(type.branches, (branch) => this.read(branch, contract, prefix));
    } else if (type.kind === 'record' || type.kind === 'items') {
      if (field >= 0) this.emit(Op.markNested, field);
      if (type.kind === 'record' && contract.children.size > 0) this.readRecord(type, contract, prefix);
      else this.skip(type);
    } else if (field < 0) {
      this.skip(type);
    } else {
      this.readSingle(type, field);
    }
  }

  private readSingle(type: Exclude<AvroType, { kind: 'union' | 'record' | 'items' }>, field: number): void {
    if (type.kind === 'fixed') {
      this.readFixed(type.logical, type.size, field);
    } else if (type.kind === 'enum') {
      this.symbols.push(type.symbols.map((symbol) => new TextEncoder().encode(symbol)));
      this.emit(Op.enum, field, this.symbols.length - 1);
    } else if (type.logical?.name === 'decimal') {
      this.emit(Op.decimalBytes, field, type.logical.scale);
    } else if (type.kind === 'int' || type.kind === 'long') {
      this.readNumber(type.logical, field);
    } else {
      this.emit(READS[type.kind], field);
    }
  }

  private readNumber(logical: Logical | null, field: number): void {
    if (logical?.name === 'date') this.emit(Op.date, field);
    else if (logical?.name === 'timestamp-millis') this.emit(Op.timestamp, field, 3);
    else if (logical?.name === 'timestamp-micros') this.emit(Op.timestamp, field, 0);
    else if (logical?.name === 'timestamp-nanos') this.emit(Op.timestamp, field, -3);
    else this.emit(Op.long, field);
  }

  private readFixed(logical: Logical | null, size: number, field: number): void {
    if (logical?.name === 'decimal') {
      this.emit(Op.decimalFixed, field, logical.scale, size);
    } else if (logical?.name === 'uuid') {
      this.emit(Op.uuid, field);
    } else if (logical?.name === 'duration') {
      // Months, days and milliseconds: no single value.
      this.emit(Op.markNested, field);
      this.emit(Op.skipFixed, size);
    } else {
      this.emit(Op.fixedText, field, size);
    }
  }

  private skip(type: AvroType): void {
    if (type.kind === 'union') {
      this.compileUnion(type.branches, (branch) => this.skip(branch));
    } else if (type.kind === 'record') {
      this.calls.push({ at: this.code.length + 1, record: type });
      this.emit(Op.call, 0);
    } else if (type.kind === 'items') {
      this.skipItems(type);
    } else if (type.kind === 'enum') {
      this.emit(Op.skipEnum, type.symbols.length);
    } else if (type.kind === 'fixed') {
      this.emit(Op.skipFixed, type.size);
    } else {
      this.emit(...SKIPS[type.kind]);
    }
  }

  private skipItems({ isMap, items }: AvroItems): void {
    const at = this.code.length;
    this.emit(isMap ? Op.skipMap : Op.skipArray, 0, isEmpty(items, new Set()) ? 1 : 0);
    this.emit(Op.jump, 0);
    this.code[at + 1] = this.code.length;
    this.skip(items);
    this.emit(Op.end);
    this.code[at + 4] = this.code.length;
  }

  private compileUnion(branches: readonly AvroType[], compileBranch: (branch: AvroType) => void): void {
    const at = this.code.length;
    this.emit(Op.union, branches.length, ...branches.map(() => 0));
    const jumps: number[] = [];
    for (const [i, branch] of branches.entries()) {
      this.code[at + 2 + i] = this.code.length;
      compileBranch(branch);
      this.emit(Op.jump, 0);
      jumps.push(this.code.length - 1);
    }
    for (const jump of jumps) this.code[jump] = this.code.length;
  }

  private compileCalled(): void {
    for (let call = this.calls.pop(); call !== undefined; call = this.calls.pop()) {
      let address = this.addresses.get(call.record);
      if (address === undefined) {
        address = this.code.length;
        this.addresses.set(call.record, address);
        for (const { type } of call.record.fields) this.skip(type);
        this.emit(Op.end);
      }
      this.code[call.at] = address;
    }
  }

  private emit(...words: number[]): void {
    if (this.code.length + words.length > MAX_CODE) throw new SchemaProblem('it is too large');
    this.code.push(...words);
  }
}

/**
 * The key that the contract knows a record's field by. An alias tells what a field was called before: it counts where nothing else in
 * the record has that name.
 */
export function knownKey({ name, aliases }: AvroField, ownNames: ReadonlySet<string>, contract: FieldNode): string | undefined {
  return [name, ...aliases.filter((alias) => !ownNames.has(alias))].find((key) => contract.children.has(key));
}

/** Whether a value of the type takes no bytes: a count of such values says nothing about the size of what follows. */
function isEmpty(type: AvroType, above: Set<AvroType>): boolean {
  if (type.kind === 'null') return true;
  if (type.kind === 'fixed') return type.size === 0;
  if (type.kind !== 'record' || above.has(type)) return false;
  above.add(type);
  return type.fields.every((field) => isEmpty(field.type, above));
}
