import type { AvroJson, AvroObject } from './avro-schema-of-contract.ts';

/**
 * A registered schema changed as little as a contract asks for: fields that the contract has and the schema lacks are added, and those whose
 * type the contract cannot take (`refused`, dotted names of the contract) get the contract's. Names of records stay, as do fields
 * that the contract does not know: registries compare both. Undefined where the schema is no record.
 */
export function nextAvroVersion(registered: AvroJson, contract: AvroObject, refused: ReadonlySet<string>): AvroJson | undefined {
  return isRecord(registered) ? merge(registered, contract, '', refused) : undefined;
}

function merge(registered: AvroObject, contract: AvroObject, prefix: string, refused: ReadonlySet<string>): AvroObject {
  const fields = fieldsOf(registered);
  const added: AvroObject[] = [];
  for (const wanted of fieldsOf(contract)) {
    const index = fields.findIndex((field) => isSame(field, wanted));
    const field = fields[index];
    if (field === undefined) added.push(wanted);
    else fields[index] = mergeField(field, wanted, prefix, refused);
  }
  return { ...registered, fields: [...fields, ...added] };
}

function mergeField(field: AvroObject, wanted: AvroObject, prefix: string, refused: ReadonlySet<string>): AvroObject {
  const path = `${prefix}${String(wanted.name)}`;
  const inner = recordIn(wanted.type);
  if (inner === undefined) return refused.has(path) ? { name: field.name ?? null, type: wanted.type ?? null } : field;
  const replace = (type: AvroJson): AvroJson => (isRecord(type) ? merge(type, inner, `${path}.`, refused) : type);
  const { type = null } = field;
  return { ...field, type: Array.isArray(type) ? type.map(replace) : replace(type) };
}

/** By name, or by an alias of either. */
function isSame(field: AvroObject, wanted: AvroObject): boolean {
  const names = namesOf(wanted);
  return namesOf(field).some((name) => names.includes(name));
}

function namesOf({ name, aliases }: AvroObject): AvroJson[] {
  return [name ?? null, ...(Array.isArray(aliases) ? aliases : [])];
}

function recordIn(type: AvroJson | undefined): AvroObject | undefined {
  if (isRecord(type)) return type;
  return Array.isArray(type) ? type.find(isRecord) : undefined;
}

function isRecord(type: AvroJson | undefined): type is AvroObject {
  return typeof type === 'object' && type !== null && !Array.isArray(type) && type.type === 'record';
}

function fieldsOf({ fields }: AvroObject): AvroObject[] {
  return Array.isArray(fields) ? fields.filter((field): field is AvroObject => typeof field === 'object' && field !== null && !Array.isArray(field)) : [];
}
