import type { Feed } from '../domain/feeds.ts';
import type { Contract, ContractField, FieldType } from './contract.ts';

export type AvroJson = null | boolean | number | string | AvroJson[] | AvroObject;
export interface AvroObject {
  readonly [key: string]: AvroJson;
}

/** Avro's own rule for names of fields. A contract may have others, which Avro records cannot. */
const AVRO_NAME = /^[A-Za-z_]\w*$/;

/** Exact where the column is: money in millionths, rates in billionths, times in microseconds. */
const TYPES: Readonly<Record<FieldType, AvroJson>> = {
  id: 'string',
  text: 'string',
  host: 'string',
  enum: 'string',
  currency: 'string',
  country: 'string',
  money: { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 6 },
  rate: { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 9 },
  integer: 'long',
  timestamp: { type: 'long', logicalType: 'timestamp-micros' },
  date: { type: 'int', logicalType: 'date' },
  boolean: 'boolean',
};

/**
 * The Avro schema of records that a contract asks for: its fields under their own names, nested as they are there. What is required has
 * no null; what is optional is null by default; what must be there, though it may be empty, has a null and no default.
 */
export function avroSchemaOfContract(contract: Contract): AvroObject {
  const name = recordName(contract.feed);
  return { ...recordOf(branchOf(contract.fields), name), namespace: 'advertisex' };
}

/** Fields whose names Avro cannot have: they are not in the schema. */
export function fieldsWithoutAvroName(contract: Contract): readonly ContractField[] {
  return contract.fields.filter(({ name }) => !isAvroPath(name));
}

/** Fields by their keys: one that is a field, or one that holds others. */
type Branch = Map<string, ContractField | Branch>;

function branchOf(fields: readonly ContractField[]): Branch {
  const root: Branch = new Map();
  for (const field of fields) {
    if (!isAvroPath(field.name)) continue;
    const keys = field.name.split('.');
    const last = keys.pop() as string;
    let branch: Branch | undefined = root;
    for (const key of keys) {
      const inner: ContractField | Branch = branch.get(key) ?? new Map();
      branch.set(key, inner);
      // A field that holds a single value cannot hold others in Avro.
      branch = inner instanceof Map ? inner : undefined;
      if (branch === undefined) break;
    }
    if (branch !== undefined && !branch.has(last)) branch.set(last, field);
  }
  return root;
}

function recordOf(branch: Branch, name: string): AvroObject {
  const fields = [...branch].map(([key, inner]) => (inner instanceof Map ? objectField(key, inner, name) : valueField(key, inner)));
  return { type: 'record', name, fields };
}

function objectField(key: string, branch: Branch, parent: string): AvroObject {
  const record = recordOf(branch, `${parent}${capitalised(key)}`);
  return holdsRequired(branch) ? { name: key, type: record } : { name: key, type: ['null', record], default: null };
}

function valueField(key: string, field: ContractField): AvroObject {
  const { type, required, mustBePresent, description } = field;
  const doc: AvroObject = description === undefined ? {} : { doc: description };
  const aliases = siblingAliases(field);
  const named: AvroObject = { name: key, ...doc, ...(aliases.length > 0 ? { aliases } : {}) };
  if (required) return { ...named, type: TYPES[type] };
  return { ...named, type: ['null', TYPES[type]], ...(mustBePresent ? {} : { default: null }) };
}

/** Other names in the same object: Avro's aliases know no others. */
function siblingAliases({ name, aliases }: ContractField): string[] {
  const prefix = name.slice(0, name.lastIndexOf('.') + 1);
  return aliases
    .filter((alias) => alias.startsWith(prefix))
    .map((alias) => alias.slice(prefix.length))
    .filter((alias) => AVRO_NAME.test(alias));
}

function holdsRequired(branch: Branch): boolean {
  return [...branch.values()].some((inner) => (inner instanceof Map ? holdsRequired(inner) : inner.required || inner.mustBePresent));
}

function isAvroPath(name: string): boolean {
  return name.split('.').every((key) => AVRO_NAME.test(key));
}

/** `bid-requests` → `BidRequests` */
function recordName(feed: Feed): string {
  return feed.split('-').map(capitalised).join('');
}

function capitalised(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
