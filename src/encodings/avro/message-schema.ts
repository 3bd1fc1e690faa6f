import type { FieldPath, MalformedRecord } from '../decoder.ts';
import { buildFieldTree, fieldName } from '../field-tree.ts';
import type { WriterSchema } from '../messages.ts';
import { SYNC_BYTES, writeContainer, writeHeader } from './container-header.ts';
import { compileProgram, type Program } from './program.ts';
import { RecordReader } from './record-reader.ts';
import { readSchema, SchemaProblem } from './schema.ts';

/** A schema that messages were written with: a reader of their records, or what their trouble is. */
export type MessageSchema = ReadableSchema | UnusableSchema;

export interface UnusableSchema {
  readonly reader: undefined;
  readonly code: MalformedRecord['code'];
  /** To follow "The Avro message does not decode: ". */
  readonly problem: string;
}

export interface ReadableSchema {
  readonly reader: RecordReader;
  readonly program: Program;
  /** `schema 7` */
  readonly name: string;
  readonly text: string;
  /** Of the documents that its records become. */
  header: Uint8Array | undefined;
  /** That were read with it. */
  records: number;
}

/** `name`: how messages call it. Undefined: there is no such schema. */
export function compileMessageSchema(name: string, schema: WriterSchema | undefined, fields: readonly FieldPath[]): MessageSchema {
  if (schema === undefined) return { reader: undefined, code: 'unknown_schema', problem: `${name} is not known` };
  const unusable = (problem: string): UnusableSchema => ({ reader: undefined, code: 'malformed', problem: `${name} cannot be used: ${problem}` });
  if (schema.format !== 'AVRO') return unusable(`it is ${schema.format}, not Avro`);
  try {
    const program = compileProgram(readSchema(schema.text), buildFieldTree(fields));
    const names = fields.map((_, field) => fieldName(fields, field));
    return { reader: new RecordReader(program, names), program, name, text: schema.text, header: undefined, records: 0 };
  } catch (error) {
    if (error instanceof SchemaProblem) return unusable(error.message);
    throw error;
  }
}

/** A container file of one record, which decodes without a registry. */
export function documentOf(schema: ReadableSchema, record: Uint8Array): Uint8Array {
  schema.header ??= writeHeader(schema.text, SYNC);
  return writeContainer(schema.header, SYNC, record);
}

const SYNC = new Uint8Array(Buffer.from('advertisex record')).subarray(0, SYNC_BYTES);
