import type { FieldPath } from '../decoder.ts';
import { buildFieldTree, type FieldNode } from '../field-tree.ts';
import { compileProgram, knownKey } from './program.ts';
import { type AvroRecord, type AvroType, readSchema, SchemaProblem } from './schema.ts';

/** What a field of a record can hold, as the contract will see it. */
export type ArrivingKind = 'null' | 'boolean' | 'whole number' | 'number' | 'text' | 'time' | 'date' | 'list, map or record';

/** What the records of a writer's schema give a field of the contract. */
export interface ArrivingField {
  /** Dotted names that it has in the schema. Of two of them in one record, neither can be taken. */
  readonly names: ReadonlySet<string>;
  readonly kinds: ReadonlySet<ArrivingKind>;
  /** A record may be without it: it stands below something that may be null. */
  readonly mayBeAbsent: boolean;
}

export interface ReadableFields {
  /** Index for index with the contract's fields. Undefined: no record holds it. */
  readonly fields: readonly (ArrivingField | undefined)[];
  readonly unknownNames: readonly string[];
}

/** What records of a schema give the fields of a contract; or why they cannot be read at all. */
export function readFields(text: string, fields: readonly FieldPath[]): ReadableFields | { readonly problem: string } {
  try {
    const schema = readSchema(text);
    const tree = buildFieldTree(fields);
    const { unknownNames } = compileProgram(schema, tree);
    const walk = new FieldWalk(fields.length);
    walk.top(schema, tree);
    return { fields: walk.fields, unknownNames };
  } catch (error) {
    if (error instanceof SchemaProblem) return { problem: error.message };
    throw error;
  }
}

interface Found {
  readonly names: Set<string>;
  readonly kinds: Set<ArrivingKind>;
  mayBeAbsent: boolean;
}

/** Goes where the compiler of programs goes. */
class FieldWalk {
  readonly fields: (Found | undefined)[];

  constructor(count: number) {
    this.fields = new Array<Found | undefined>(count).fill(undefined);
  }

  top(schema: AvroType, tree: FieldNode): void {
    const records = schema.kind === 'union' ? schema.branches.filter(({ kind }) => kind === 'record') : [schema];
    for (const record of records) this.record(record as AvroRecord, tree, '', records.length > 1);
  }

  private record(record: AvroRecord, contract: FieldNode, prefix: string, mayBeAbsent: boolean): void {
    const ownNames = new Set(record.fields.map(({ name }) => name));
    for (const field of record.fields) {
      const known = knownKey(field, ownNames, contract);
      if (known !== undefined) this.value(field.type, contract.children.get(known) as FieldNode, `${prefix}${field.name}`, mayBeAbsent);
    }
  }

  private value(type: AvroType, contract: FieldNode, name: string, mayBeAbsent: boolean): void {
    if (type.kind === 'union') {
      for (const branch of type.branches) this.value(branch, contract, name, mayBeAbsent || (contract.field < 0 && type.branches.length > 1));
      return;
    }
    if (contract.field >= 0) this.add(contract.field, name, kindOf(type), mayBeAbsent);
    if (type.kind === 'record' && contract.children.size > 0) this.record(type, contract, `${name}.`, mayBeAbsent);
  }

  private add(field: number, name: string, kind: ArrivingKind, mayBeAbsent: boolean): void {
    const found = this.fields[field] ?? { names: new Set(), kinds: new Set(), mayBeAbsent: false };
    this.fields[field] = found;
    found.names.add(name);
    found.kinds.add(kind);
    found.mayBeAbsent ||= mayBeAbsent;
  }
}

function kindOf(type: Exclude<AvroType, { kind: 'union' }>): ArrivingKind {
  switch (type.kind) {
    case 'record':
    case 'items':
      return 'list, map or record';
    case 'enum':
    case 'string':
      return 'text';
    case 'null':
    case 'boolean':
      return type.kind;
    case 'float':
    case 'double':
      return 'number';
    case 'bytes':
      return type.logical?.name === 'decimal' ? 'number' : 'text';
    case 'fixed':
      if (type.logical?.name === 'duration') return 'list, map or record';
      return type.logical?.name === 'decimal' ? 'number' : 'text';
    default:
      if (type.logical?.name === 'date') return 'date';
      return type.logical === null ? 'whole number' : 'time';
  }
}
