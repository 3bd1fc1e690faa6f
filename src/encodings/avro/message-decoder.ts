import { AdvertiseXError } from '../../domain/errors.ts';
import type { FieldPath, MalformedRecord, RecordSink, ResumePoint } from '../decoder.ts';
import { MessageReports } from '../message-reports.ts';
import type { AvroMessageOptions, MessageDecoder, SchemaSource, WriterSchema } from '../messages.ts';
import { MAX_UNKNOWN_NAMES } from '../unknown-fields.ts';
import { schemaFingerprint } from './fingerprint.ts';
import { type FrameReader, frameReader } from './message-framing.ts';
import { compileMessageSchema, documentOf, type MessageSchema, type ReadableSchema } from './message-schema.ts';
import { SchemaProblem } from './schema.ts';

/** Schemas that are kept compiled beside those of the messages at hand. */
const KEPT_SCHEMAS = 256;

/**
 * Avro records, one a message, each with the schema that it says it was written with. A schema is compiled against the contract once:
 * how a writer's fields have changed (added, left out, renamed, in another order, of another type) makes no difference to what comes out.
 */
export class AvroMessageDecoder implements MessageDecoder {
  private readonly reports: MessageReports;
  private readonly fields: readonly FieldPath[];
  private readonly schemas: SchemaSource;
  private readonly frame: FrameReader;
  private readonly isByFingerprint: boolean;
  /** By the key in the frame; the last ones asked for come last. */
  private readonly known = new Map<string, MessageSchema>();
  /** Records that held them, of schemas that are not kept any more. */
  private readonly unknownBefore = new Map<string, number>();
  private current: MessageSchema | undefined;
  private currentHigh = -1;
  private currentLow = -1;

  constructor({ fields, maxRecordBytes, framing, schemas }: AvroMessageOptions, sink: RecordSink) {
    this.reports = new MessageReports(sink, maxRecordBytes);
    this.fields = fields;
    this.schemas = schemas;
    this.frame = frameReader(framing);
    this.isByFingerprint = framing === 'single-object';
    if (typeof framing === 'object') this.keep(this.key(0, 0), givenSchema(framing.schema, fields));
  }

  get unknownFields(): ReadonlyMap<string, number> {
    const counts = new Map(this.unknownBefore);
    for (const schema of this.known.values()) if (schema.reader !== undefined) countUnknown(schema, counts);
    return counts;
  }

  async prepare(values: readonly Uint8Array[]): Promise<void> {
    const { frame } = this;
    const needed = new Set<string>();
    let high = -1;
    let low = -1;
    for (const value of values) {
      if (!frame.read(value) || (frame.low === low && frame.high === high)) continue;
      high = frame.high;
      low = frame.low;
      needed.add(this.key(high, low));
    }
    await this.load([...needed].filter((key) => this.isMissing(key)));
    for (const key of needed) this.keep(key, this.known.get(key) as MessageSchema);
    this.forget(needed);
  }

  push(value: Uint8Array, recordNumber: number): void {
    const { reports, frame } = this;
    if (!reports.start(value, recordNumber)) return;
    const { bytes } = reports;
    if (!frame.read(bytes)) {
      this.malformed(frame.problem);
      return;
    }
    const schema = frame.low === this.currentLow && frame.high === this.currentHigh ? (this.current as MessageSchema) : this.turnTo(frame.high, frame.low);
    if (schema.reader === undefined) this.malformed(schema.problem, schema.code);
    else this.read(schema, bytes, frame.size);
  }

  currentRaw(): Uint8Array {
    return documentOf(this.current as ReadableSchema, this.reports.bytes.subarray(this.frame.size));
  }

  resumePoint(): ResumePoint {
    return this.reports.resumePoint();
  }

  private read(schema: ReadableSchema, bytes: Uint8Array, start: number): void {
    const { lane, recordNumber } = this.reports;
    if (lane !== undefined) {
      lane.open(bytes, 0, bytes.length);
      if (lane.takeAvroRecord(start, recordNumber)) {
        schema.records++;
        return;
      }
    }
    const { reader } = schema;
    reader.startBlock(bytes, bytes.length);
    const behind = reader.read(start);
    if (behind < 0) {
      this.malformed(`as a record of ${schema.name} it cannot be read: ${reader.problem}`);
    } else if (behind < bytes.length) {
      this.malformed(`${bytes.length - behind} bytes are left behind its record of ${schema.name}`);
    } else if (reader.flaw !== '') {
      this.malformed(`as a record of ${schema.name} it is not right: ${reader.flaw}`);
    } else {
      schema.records++;
      this.reports.record(reader.slots);
    }
  }

  private malformed(problem: string, code?: MalformedRecord['code']): void {
    this.reports.malformed(`The Avro message does not decode: ${problem}.`, code);
  }

  /** The next messages have that schema. */
  private turnTo(high: number, low: number): MessageSchema {
    const schema = this.known.get(this.key(high, low));
    if (schema === undefined) throw new TypeError('the message was not prepared');
    this.currentHigh = high;
    this.currentLow = low;
    this.current = schema;
    if (schema.reader !== undefined) this.reports.lane?.useProgram(schema.program);
    return schema;
  }

  /** The registry's id, or the fingerprint as 16 digits. */
  private key(high: number, low: number): string {
    return this.isByFingerprint ? `${hex(high)}${hex(low)}` : String(low);
  }

  /** What was not known the last time may be by now. */
  private isMissing(key: string): boolean {
    const schema = this.known.get(key);
    return schema === undefined || (schema.reader === undefined && schema.code === 'unknown_schema');
  }

  private async load(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const found = this.isByFingerprint ? byFingerprint(await this.schemas.candidates()) : new Map<string, WriterSchema>();
    const compile = (key: string, schema: WriterSchema | undefined): void => {
      const name = this.isByFingerprint ? `a schema of fingerprint ${key}` : `schema ${key}`;
      this.known.set(key, compileMessageSchema(name, schema, this.fields));
    };
    if (this.isByFingerprint) for (const key of keys) compile(key, found.get(key));
    else await Promise.all(keys.map(async (key) => compile(key, await this.schemas.byId(Number(key)))));
    // What stands there under the same key may be another one.
    this.currentHigh = -1;
    this.currentLow = -1;
  }

  private keep(key: string, schema: MessageSchema): void {
    this.known.delete(key);
    this.known.set(key, schema);
  }

  private forget(needed: ReadonlySet<string>): void {
    for (const [key, schema] of this.known) {
      if (this.known.size <= KEPT_SCHEMAS) return;
      if (needed.has(key)) continue;
      if (schema.reader !== undefined) countUnknown(schema, this.unknownBefore);
      this.known.delete(key);
      this.currentHigh = -1;
      this.currentLow = -1;
    }
  }
}

function givenSchema(text: string, fields: readonly FieldPath[]): MessageSchema {
  const schema = compileMessageSchema('the schema of its topic', { format: 'AVRO', text }, fields);
  if (schema.reader !== undefined) return schema;
  throw new AdvertiseXError(
    'config_invalid',
    `Avro messages cannot be read: ${schema.problem}`,
    'Give the Avro schema (a record) that the messages were written with.',
  );
}

function countUnknown({ program, records }: ReadableSchema, counts: Map<string, number>): void {
  if (records === 0) return;
  for (const name of program.unknownNames) {
    if (counts.has(name) || counts.size < MAX_UNKNOWN_NAMES) counts.set(name, (counts.get(name) ?? 0) + records);
  }
}

function byFingerprint(schemas: readonly WriterSchema[]): Map<string, WriterSchema> {
  const found = new Map<string, WriterSchema>();
  for (const schema of schemas) {
    if (schema.format !== 'AVRO') continue;
    try {
      found.set(schemaFingerprint(schema.text).toString(16).padStart(16, '0'), schema);
    } catch (error) {
      // No message can have been written with it.
      if (!(error instanceof SchemaProblem)) throw error;
    }
  }
  return found;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
