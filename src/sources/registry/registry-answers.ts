/** What answers of the API hold (Confluent Schema Registry, v1). Each reader gives undefined where a body is not that. */

export interface RegisteredSchema {
  readonly format: string;
  readonly text: string;
  readonly references: readonly SchemaReference[];
}

/** A schema names types of another subject. */
export interface SchemaReference {
  /** Of the type. */
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

export interface RegisteredVersion extends RegisteredSchema {
  readonly subject: string;
  readonly version: number;
  readonly id: number;
}

type Body = Readonly<Record<string, unknown>>;

/** `{"schema": "…", "schemaType": "AVRO", "references": […]}`; without a type it is Avro. */
export function readSchema(body: unknown): RegisteredSchema | undefined {
  if (!isBody(body) || typeof body.schema !== 'string') return undefined;
  const references = Array.isArray(body.references) ? body.references.map(readReference) : [];
  if (references.includes(undefined)) return undefined;
  return { format: typeof body.schemaType === 'string' ? body.schemaType : 'AVRO', text: body.schema, references: references as SchemaReference[] };
}

/** The same with `subject`, `version` and `id`. */
export function readVersion(body: unknown): RegisteredVersion | undefined {
  const schema = readSchema(body);
  if (schema === undefined || !isBody(body) || typeof body.subject !== 'string' || !isNumber(body.version) || !isNumber(body.id)) return undefined;
  return { ...schema, subject: body.subject, version: body.version, id: body.id };
}

/** `[1, 2, 3]` */
export function readVersions(body: unknown): readonly number[] | undefined {
  return Array.isArray(body) && body.every(isNumber) ? body : undefined;
}

/** `{"id": 7}` */
export function readId(body: unknown): number | undefined {
  return isBody(body) && isNumber(body.id) ? body.id : undefined;
}

/** `{"is_compatible": false, "messages": ["…"]}` */
export function readCompatibility(body: unknown): { readonly isCompatible: boolean; readonly messages: readonly string[] } | undefined {
  if (!isBody(body) || typeof body.is_compatible !== 'boolean') return undefined;
  const messages = Array.isArray(body.messages) ? body.messages.filter((message) => typeof message === 'string') : [];
  return { isCompatible: body.is_compatible, messages };
}

function readReference(reference: unknown): SchemaReference | undefined {
  if (!isBody(reference) || typeof reference.subject !== 'string' || !isNumber(reference.version)) return undefined;
  return { name: String(reference.name), subject: reference.subject, version: reference.version };
}

function isBody(body: unknown): body is Body {
  return typeof body === 'object' && body !== null && !Array.isArray(body);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value);
}
