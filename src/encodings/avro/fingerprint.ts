import { isPrimitive, type Json, type JsonObject, MAX_NESTING, namespaceOf, parseSchemaJson, qualified, SchemaProblem } from './schema.ts';

/** CRC-64-AVRO of no bytes, and its polynomial (Avro 1.12, "Schema Fingerprints"). */
const EMPTY = 0xc15d213aa4d7a795n;

const TABLE = BigUint64Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ ((crc & 1n) === 1n ? EMPTY : 0n);
  return crc;
});

/** What single-object messages name their schema by. Throws SchemaProblem where the text is no schema. */
export function schemaFingerprint(text: string): bigint {
  return crc64(Buffer.from(canonicalForm(text)));
}

function crc64(bytes: Uint8Array): bigint {
  let crc = EMPTY;
  for (const byte of bytes) crc = (crc >> 8n) ^ (TABLE[Number(crc & 0xffn) ^ byte] as bigint);
  return crc;
}

/** The "Parsing Canonical Form" of a schema: what decides how data is read, in one spelling. */
export function canonicalForm(text: string): string {
  return canonical(parseSchemaJson(text), '', 0);
}

function canonical(json: Json, namespace: string, depth: number): string {
  if (depth > MAX_NESTING) throw new SchemaProblem(`types are nested deeper than ${MAX_NESTING} levels`);
  if (typeof json === 'string') return JSON.stringify(isPrimitive(json) || json.includes('.') ? json : qualified(json, namespace));
  if (Array.isArray(json)) return `[${json.map((branch) => canonical(branch, namespace, depth + 1)).join()}]`;
  if (json === null || typeof json !== 'object') throw new SchemaProblem(`${JSON.stringify(json)} is no type`);
  const { type } = json;
  switch (type) {
    case 'record':
    case 'error':
      return object(named(json, namespace), ['type', JSON.stringify(type)], ['fields', fieldsOf(json, namespaceOf(json, namespace), depth)]);
    case 'enum':
      return object(named(json, namespace), ['type', '"enum"'], ['symbols', JSON.stringify(json.symbols ?? [])]);
    case 'fixed':
      return object(named(json, namespace), ['type', '"fixed"'], ['size', String(Number(json.size))]);
    case 'array':
      return object(['type', '"array"'], ['items', canonical(json.items ?? null, namespace, depth + 1)]);
    case 'map':
      return object(['type', '"map"'], ['values', canonical(json.values ?? null, namespace, depth + 1)]);
    default:
      return canonical(type ?? null, namespace, depth + 1);
  }
}

function fieldsOf({ fields }: JsonObject, namespace: string, depth: number): string {
  if (!Array.isArray(fields)) throw new SchemaProblem('a record has no fields');
  const written = fields.map((field) => {
    if (field === null || typeof field !== 'object' || Array.isArray(field)) throw new SchemaProblem('a field has no name');
    return object(['name', JSON.stringify(field.name ?? null)], ['type', canonical(field.type ?? null, namespace, depth + 1)]);
  });
  return `[${written.join()}]`;
}

function named(json: JsonObject, namespace: string): Member {
  const name = typeof json.name === 'string' ? json.name : '';
  return ['name', JSON.stringify(name.includes('.') ? name : qualified(name, namespaceOf(json, namespace)))];
}

type Member = readonly [name: string, value: string];

function object(...members: readonly Member[]): string {
  return `{${members.map(([name, value]) => `"${name}":${value}`).join()}}`;
}
