type Json = null | boolean | number | string | Json[] | JsonObject;
interface JsonObject {
  readonly [key: string]: Json;
}

/** A schema, and those that it refers to, as the registry has them. */
export interface ReferringSchema {
  readonly text: string;
  readonly references: readonly ReferringSchema[];
}

const PRIMITIVES = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);
/** Deeper than any schema. */
const MAX_NESTING = 200;

/**
 * One schema that stands by itself: a type of another subject is written out where it is named first. What is no JSON, or names types
 * that nobody defines, is left to whoever reads the schema.
 */
export function linkReferences({ text, references }: ReferringSchema): string {
  if (references.length === 0) return text;
  const linker = new Linker();
  try {
    for (const reference of references) linker.collect(reference);
    return JSON.stringify(linker.write(JSON.parse(text) as Json, '', 0));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return text;
    throw error;
  }
}

class Linker {
  private readonly definitions = new Map<string, JsonObject>();
  private readonly written = new Set<string>();

  /** The named types of a schema, and of those that it refers to. */
  collect({ text, references }: ReferringSchema): void {
    for (const reference of references) this.collect(reference);
    this.define(JSON.parse(text) as Json, '', 0);
  }

  private define(json: Json, namespace: string, depth: number): void {
    if (depth > MAX_NESTING) throw new RangeError('a schema is nested too deep');
    if (Array.isArray(json)) for (const branch of json) this.define(branch, namespace, depth + 1);
    if (!isObject(json)) return;
    const inner = isNamed(json) ? namespaceOf(json, namespace) : namespace;
    // Standing anywhere, it must mean what it means where it is: by its full name, in its own namespace.
    if (isNamed(json)) this.definitions.set(fullName(json, namespace), { ...json, name: shortName(json), namespace: inner });
    for (const child of childrenOf(json)) this.define(child, inner, depth + 1);
  }

  write(json: Json, namespace: string, depth: number): Json {
    if (depth > MAX_NESTING) throw new RangeError('a schema is nested too deep');
    if (typeof json === 'string') return this.writeName(json, namespace, depth);
    if (Array.isArray(json)) return json.map((branch) => this.write(branch, namespace, depth + 1));
    if (!isObject(json)) return json;
    if (!isNamed(json)) return this.writeParts(json, namespace, depth);
    const name = fullName(json, namespace);
    if (this.written.has(name)) return name;
    this.written.add(name);
    return this.writeParts(json, namespaceOf(json, namespace), depth);
  }

  private writeName(name: string, namespace: string, depth: number): Json {
    if (PRIMITIVES.has(name)) return name;
    const qualified = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
    for (const full of [qualified, name]) {
      if (this.written.has(full)) return full;
      const definition = this.definitions.get(full);
      if (definition !== undefined) return this.write(definition, '', depth + 1);
    }
    return name;
  }

  private writeParts(json: JsonObject, namespace: string, depth: number): Json {
    const parts: Record<string, Json> = { ...json };
    if (Array.isArray(json.fields))
      parts.fields = json.fields.map((field) => (isObject(field) ? { ...field, type: this.write(field.type ?? null, namespace, depth + 1) } : field));
    if (json.items !== undefined) parts.items = this.write(json.items, namespace, depth + 1);
    if (json.values !== undefined) parts.values = this.write(json.values, namespace, depth + 1);
    if (isObject(json.type) || Array.isArray(json.type)) parts.type = this.write(json.type, namespace, depth + 1);
    else if (typeof json.type === 'string' && !isKind(json.type)) parts.type = this.writeName(json.type, namespace, depth);
    return parts;
  }
}

function childrenOf(json: JsonObject): Json[] {
  const fields = Array.isArray(json.fields) ? json.fields.flatMap((field) => (isObject(field) ? [field.type ?? null] : [])) : [];
  return [...fields, json.items ?? null, json.values ?? null, typeof json.type === 'string' ? null : (json.type ?? null)];
}

function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function isNamed(json: JsonObject): boolean {
  return (json.type === 'record' || json.type === 'error' || json.type === 'enum' || json.type === 'fixed') && typeof json.name === 'string';
}

function isKind(type: string): boolean {
  return PRIMITIVES.has(type) || ['record', 'error', 'enum', 'fixed', 'array', 'map'].includes(type);
}

function shortName({ name }: JsonObject): string {
  return String(name).slice(String(name).lastIndexOf('.') + 1);
}

function namespaceOf({ name, namespace }: JsonObject, outer: string): string {
  const written = String(name);
  if (written.includes('.')) return written.slice(0, written.lastIndexOf('.'));
  return typeof namespace === 'string' ? namespace : outer;
}

function fullName(json: JsonObject, outer: string): string {
  const namespace = namespaceOf(json, outer);
  return namespace === '' ? shortName(json) : `${namespace}.${shortName(json)}`;
}
