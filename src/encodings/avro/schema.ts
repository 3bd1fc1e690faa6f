/** A writer's schema, read from its JSON (Avro 1.12 specification, "Schema Declaration"), with what the decoder needs of it. */
export type AvroType =
  | { readonly kind: Primitive; readonly logical: Logical | null }
  | { readonly kind: 'fixed'; readonly size: number; readonly logical: Logical | null }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | AvroItems
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] }
  | AvroRecord;

export interface AvroItems {
  readonly kind: 'items';
  /** Items with a text key each. */
  readonly isMap: boolean;
  readonly items: AvroType;
}

export interface AvroRecord {
  readonly kind: 'record';
  readonly name: string;
  /** Filled once the record is read: its fields may name it. */
  readonly fields: AvroField[];
}

export interface AvroField {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: AvroType;
}

export type Logical =
  | { readonly name: 'timestamp-millis' | 'timestamp-micros' | 'timestamp-nanos' | 'date' | 'uuid' | 'duration' }
  | { readonly name: 'decimal'; readonly scale: number };

/** The schema cannot be used. */
export class SchemaProblem extends Error {}

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;
export type Primitive = (typeof PRIMITIVES)[number];

/** Deeper than any schema; bounds the recursion of everything that walks one. */
export const MAX_NESTING = 100;
/** Longer numbers are no amount of anything. */
const MAX_SCALE = 400;

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export function readSchema(text: string): AvroType {
  return new SchemaReader().read(parseSchemaJson(text), '', 0);
}

export function parseSchemaJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new SchemaProblem(`it is not JSON (${(error as Error).message})`);
  }
}

class SchemaReader {
  private readonly named = new Map<string, AvroType>();

  read(json: Json, namespace: string, depth: number): AvroType {
    if (depth > MAX_NESTING) throw new SchemaProblem(`types are nested deeper than ${MAX_NESTING} levels`);
    if (typeof json === 'string') return this.find(json, namespace);
    if (Array.isArray(json)) return { kind: 'union', branches: json.map((branch) => this.read(branch, namespace, depth + 1)) };
    if (json === null || typeof json !== 'object') throw new SchemaProblem(`${JSON.stringify(json)} is no type`);
    const { type } = json;
    if (type === undefined) throw new SchemaProblem('a type has no "type"');
    if (typeof type !== 'string') return this.read(type, namespace, depth + 1);
    switch (type) {
      case 'record':
      case 'error':
        return this.readRecord(json, namespace, depth);
      case 'enum':
        return this.name(json, namespace, { kind: 'enum', symbols: texts(json.symbols, 'symbols of an enum') });
      case 'fixed': {
        const size = json.size;
        if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > 0x3fffffff) throw new SchemaProblem('the size of a fixed is no size');
        return this.name(json, namespace, { kind: 'fixed', size, logical: logicalOf(json, 'fixed', size) });
      }
      case 'array':
        return { kind: 'items', isMap: false, items: this.read(json.items ?? null, namespace, depth + 1) };
      case 'map':
        return { kind: 'items', isMap: true, items: this.read(json.values ?? null, namespace, depth + 1) };
    }
    return isPrimitive(type) ? { kind: type, logical: logicalOf(json, type, 0) } : this.find(type, namespace);
  }

  private readRecord(json: JsonObject, namespace: string, depth: number): AvroType {
    const fields: AvroField[] = [];
    const record: AvroRecord = { kind: 'record', name: typeof json.name === 'string' ? json.name : '', fields };
    this.name(json, namespace, record);
    if (!Array.isArray(json.fields)) throw new SchemaProblem(`record "${record.name}" has no fields`);
    const inner = namespaceOf(json, namespace);
    for (const field of json.fields) {
      if (field === null || typeof field !== 'object' || Array.isArray(field) || typeof field.name !== 'string')
        throw new SchemaProblem(`a field of record "${record.name}" has no name`);
      const aliases = field.aliases === undefined ? [] : texts(field.aliases, 'aliases of a field');
      fields.push({ name: field.name, aliases, type: this.read(field.type ?? null, inner, depth + 1) });
    }
    return record;
  }

  private name(json: JsonObject, namespace: string, type: AvroType): AvroType {
    const { name } = json;
    if (typeof name !== 'string' || name === '') throw new SchemaProblem(`a type (${type.kind}) has no name`);
    const fullName = name.includes('.') ? name : qualified(name, namespaceOf(json, namespace));
    if (this.named.has(fullName)) throw new SchemaProblem(`type "${fullName}" is there twice`);
    this.named.set(fullName, type);
    return type;
  }

  private find(name: string, namespace: string): AvroType {
    if (isPrimitive(name)) return { kind: name, logical: null };
    const type = this.named.get(name.includes('.') ? name : qualified(name, namespace)) ?? this.named.get(name);
    if (type === undefined) throw new SchemaProblem(`type "${name}" is not known`);
    return type;
  }
}

export function isPrimitive(name: string): name is Primitive {
  return (PRIMITIVES as readonly string[]).includes(name);
}

export function namespaceOf({ name, namespace }: JsonObject, outer: string): string {
  if (typeof name === 'string' && name.includes('.')) return name.slice(0, name.lastIndexOf('.'));
  return typeof namespace === 'string' ? namespace : outer;
}

export function qualified(name: string, namespace: string): string {
  return namespace === '' ? name : `${namespace}.${name}`;
}

function texts(json: Json | undefined, what: string): string[] {
  if (!Array.isArray(json) || !json.every((item) => typeof item === 'string')) throw new SchemaProblem(`the ${what} are no list of names`);
  return json as string[];
}

/** A logical type that is unknown or does not fit its type is ignored, as the specification demands. */
function logicalOf(json: JsonObject, kind: Primitive | 'fixed', size: number): Logical | null {
  const logical = typeof json.logicalType === 'string' ? json.logicalType.replace(/^local-timestamp-/, 'timestamp-') : '';
  switch (logical) {
    case 'timestamp-millis':
    case 'timestamp-micros':
    case 'timestamp-nanos':
      return kind === 'long' ? { name: logical } : null;
    case 'date':
      return kind === 'int' ? { name: logical } : null;
    case 'uuid':
      return kind === 'fixed' && size === 16 ? { name: logical } : null;
    case 'duration':
      return kind === 'fixed' && size === 12 ? { name: logical } : null;
    case 'decimal': {
      const scale = json.scale ?? 0;
      const fits = (kind === 'bytes' || kind === 'fixed') && typeof scale === 'number' && Number.isSafeInteger(scale) && scale >= 0;
      if (!fits) return null;
      if (scale > MAX_SCALE) throw new SchemaProblem(`a decimal has ${scale} digits after its point`);
      return { name: 'decimal', scale };
    }
    default:
      return null;
  }
}
