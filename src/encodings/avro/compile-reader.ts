import type { FieldPath } from '../decoder.ts';
import { buildFieldTree, type FieldNode } from '../field-tree.ts';
import { MAX_UNKNOWN_NAMES, unknownFieldName } from '../unknown-fields.ts';
import { isAscii } from './is-ascii.ts';
import type { RecordReader } from './record-reader.ts';
import { type AvroItems, type AvroRecord, type AvroType, readSchema, SchemaProblem } from './schema.ts';
import { readSingle, readText, skipSingle, step } from './statements.ts';

/** Reads the record at a position of the reader's block into its slots; returns the position behind it, or less than 0. */
export type ReadRecord = (reader: RecordReader, at: number) => number;

export interface CompiledSchema {
  readonly read: ReadRecord;
  /** Symbols of the enums that are read. */
  readonly symbols: readonly (readonly Uint8Array[])[];
  /** Dotted names of fields that the contract does not know. */
  readonly unknownNames: readonly string[];
}

/** A schema whose records branch into more code than this is hostile. Characters. */
const MAX_SOURCE = 4_000_000;
/** Larger functions are never optimised. */
const STATEMENTS_A_FUNCTION = 12;

/**
 * Compiles a writer's schema against the contract: one straight piece of code that reads the fields the contract knows and
 * steps over the others. It is JavaScript, made of this project's own text and integers only (no name of a schema gets into
 * it), because a loop over instructions took nearly three times as long: 320 ns a record of 11 texts against 118.
 */
function compileReader(schema: AvroType, contract: FieldNode): CompiledSchema {
  return new SchemaCompiler().compile(schema, contract);
}

/** Files of a feed come with one schema, again and again: code that is warm already decodes the next one at full speed. */
const COMPILED_SCHEMAS = 16;
const compiledSchemas = new Map<string, CompiledSchema>();

/** The same for the schema's text; throws SchemaProblem. */
export function compileSchemaText(text: string, fields: readonly FieldPath[]): CompiledSchema {
  const key = JSON.stringify([text, fields]);
  const known = compiledSchemas.get(key);
  if (known !== undefined) return known;
  const compiled = compileReader(readSchema(text), buildFieldTree(fields));
  if (compiledSchemas.size >= COMPILED_SCHEMAS) compiledSchemas.delete(compiledSchemas.keys().next().value as string);
  compiledSchemas.set(key, compiled);
  return compiled;
}

class SchemaCompiler {
  private readonly functions: string[] = [];
  private size = 0;
  private readonly symbols: Uint8Array[][] = [];
  private readonly unknownNames = new Set<string>();
  /** Functions of records that are skipped: one each, so that recursive schemas end and shared types do not multiply. */
  private readonly skips = new Map<AvroRecord, string>();
  private readonly open: AvroRecord[] = [];

  compile(schema: AvroType, contract: FieldNode): CompiledSchema {
    if (isEmpty(schema, new Set())) throw new SchemaProblem('its records hold nothing');
    const top = this.define('read', [this.readTop(schema, contract)]);
    for (let record = this.open.pop(); record !== undefined; record = this.open.pop()) this.defineSkip(record);
    const source = `'use strict';\n${this.functions.join('\n')}\nreturn ${top};`;
    const read = new Function('isAscii', source)(isAscii) as ReadRecord;
    const unknownNames = [...this.unknownNames].slice(0, MAX_UNKNOWN_NAMES).map((name) => unknownFieldName(new TextEncoder().encode(name)));
    return { read, symbols: this.symbols, unknownNames };
  }

  private readTop(schema: AvroType, contract: FieldNode): string {
    if (schema.kind === 'record') return this.readRecord(schema, contract, '');
    if (schema.kind !== 'union' || !schema.branches.some(({ kind }) => kind === 'record'))
      throw new SchemaProblem(`its top type is ${schema.kind}, not a record`);
    return this.readUnion(schema.branches, (branch) => {
      return branch.kind === 'record' ? this.readRecord(branch, contract, '') : `r.refuse('it is not a record'); ${this.skip(branch)}`;
    });
  }

  private readRecord(record: AvroRecord, contract: FieldNode, prefix: string): string {
    const ownNames = new Set(record.fields.map(({ name }) => name));
    const statements = record.fields.map(({ name, aliases, type }) => {
      // An alias tells what a field was called before: it counts where nothing else has that name.
      const known = [name, ...aliases.filter((alias) => !ownNames.has(alias))].find((key) => contract.children.has(key));
      if (known !== undefined) return this.read(type, contract.children.get(known) as FieldNode, `${prefix}${known}.`);
      this.unknownNames.add(`${prefix}${name}`);
      return this.skip(type);
    });
    return this.call(statements);
  }

  private read(type: AvroType, contract: FieldNode, prefix: string): string {
    const { field } = contract;
    if (type.kind === 'union') return this.readUnion(type.branches, (branch) => this.read(branch, contract, prefix));
    if (type.kind === 'record' || type.kind === 'items') {
      const mark = field >= 0 ? `r.setNested(${field}); ` : '';
      const inner = type.kind === 'record' && contract.children.size > 0 ? this.readRecord(type, contract, prefix) : this.skip(type);
      return `${mark}${inner}`;
    }
    if (field < 0) return this.skip(type);
    if (type.kind === 'string' || (type.kind === 'bytes' && type.logical === null)) return readText(field);
    if (type.kind === 'enum') this.symbols.push(type.symbols.map((symbol) => new TextEncoder().encode(symbol)));
    return readSingle(type, field, this.symbols.length - 1);
  }

  private skip(type: AvroType): string {
    if (type.kind === 'union') return this.readUnion(type.branches, (branch) => this.skip(branch));
    if (type.kind === 'items') return this.skipItems(type);
    return type.kind === 'record' ? step(`${this.skipFunction(type)}(r, at)`) : skipSingle(type);
  }

  private skipItems({ isMap, items }: AvroItems): string {
    const item = this.define('item', [this.skip(items)]);
    return step(`r.skipItems(at, ${item}, ${isMap}, ${isEmpty(items, new Set())})`);
  }

  private skipFunction(record: AvroRecord): string {
    let name = this.skips.get(record);
    if (name === undefined) {
      name = `skip${this.skips.size}`;
      this.skips.set(record, name);
      this.open.push(record);
    }
    return name;
  }

  private defineSkip(record: AvroRecord): void {
    const body = this.call(record.fields.map(({ type }) => this.skip(type)));
    this.add(
      `function ${this.skips.get(record)}(r, at) { if (++r.depth > r.maxDepth) return r.refuseDepth(); ${this.locals(body)} ${body} r.depth--; return at; }`,
    );
  }

  /** `branch`: an index of one byte, nearly always; the common case here, the rest in `readIndex`. */
  private readUnion(branches: readonly AvroType[], compileBranch: (branch: AvroType) => string): string {
    const small = 2 * Math.min(branches.length, 64);
    const index = `branch = at < end ? bytes[at] : 1; if (branch < ${small} && (branch & 1) === 0) { branch >>= 1; at++; } else { branch = r.readIndex(at, ${branches.length}); if (branch < 0) return branch; at = r.behind; }`;
    const bodies = branches.map((branch) => compileBranch(branch));
    if (bodies.length === 2) return `${index} if (branch === 0) { ${bodies[0]} } else { ${bodies[1]} }`;
    return `${index} switch (branch) { ${bodies.map((body, i) => `case ${i}: { ${body} break; }`).join(' ')} }`;
  }

  /** Statements in functions that are small enough, called one after the other. */
  private call(statements: readonly string[]): string {
    const used = statements.filter((statement) => statement !== '');
    const calls: string[] = [];
    for (let i = 0; i < used.length; i += STATEMENTS_A_FUNCTION) calls.push(step(`${this.define('part', used.slice(i, i + STATEMENTS_A_FUNCTION))}(r, at)`));
    return calls.length <= STATEMENTS_A_FUNCTION ? calls.join(' ') : this.call(calls);
  }

  private define(kind: string, statements: readonly string[]): string {
    const name = `${kind}${this.functions.length}`;
    const body = statements.join('\n  ');
    this.add(`function ${name}(r, at) {\n  ${this.locals(body)}\n  ${body}\n  return at;\n}`);
    return name;
  }

  private add(source: string): void {
    this.size += source.length;
    if (this.size > MAX_SOURCE) throw new SchemaProblem('it is too large');
    this.functions.push(source);
  }

  private locals(body: string): string {
    const used = ['bytes', 'view', 'end', 'kinds', 'buffers', 'starts', 'ends'].filter((name) => new RegExp(`\\b${name}\\b`).test(body));
    const values = ['branch', 'length', 'stop'].filter((name) => new RegExp(`\\b${name}\\b`).test(body));
    return `${used.length > 0 ? `const { ${used.join(', ')} } = r; ` : ''}${values.length > 0 ? `let ${values.map((name) => `${name} = 0`).join(', ')};` : ''}`;
  }
}

/** Whether a value of the type takes no bytes: a count of such values says nothing about the size of what follows. */
function isEmpty(type: AvroType, above: Set<AvroType>): boolean {
  if (type.kind === 'null') return true;
  if (type.kind === 'fixed') return type.size === 0;
  if (type.kind !== 'record' || above.has(type)) return false;
  above.add(type);
  return type.fields.every((field) => isEmpty(field.type, above));
}
