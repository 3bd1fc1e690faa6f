import type { CurrentRecord, FieldPath } from './decoder.ts';

/**
 * The port of records that come one in a message. Each message that is pushed gives the sink exactly one record or one malformed
 * record, in order, and nothing is carried over from one to the next.
 */
export interface MessageDecoder extends CurrentRecord {
  /**
   * Sees to it that what these messages need (schemas) is at hand: they can be pushed until the next call. Throws AdvertiseXError where it
   * cannot be had at the moment; the same messages are then to be prepared again, later.
   */
  prepare(values: readonly Uint8Array[]): Promise<void>;
  /** Never throws for what the bytes are. They are read in place: what the sink keeps of them it copies. */
  push(value: Uint8Array, recordNumber: number): void;
  /** Names of fields that the contract does not know, with the number of records that held them. */
  readonly unknownFields: ReadonlyMap<string, number>;
}

interface AnyMessageOptions {
  readonly fields: readonly FieldPath[];
  /** A larger message is `too_large`. */
  readonly maxRecordBytes: number;
}

export interface JsonMessageOptions extends AnyMessageOptions {
  readonly encoding: 'json';
}

export interface CsvMessageOptions extends AnyMessageOptions {
  readonly encoding: 'csv';
  /** One byte, default `,`. */
  readonly delimiter?: string;
  /** What its cells are, in order. Default: the fields by the contract's own names, in its order. */
  readonly columns?: readonly string[];
}

export interface AvroMessageOptions extends AnyMessageOptions {
  readonly encoding: 'avro';
  readonly framing: MessageFraming;
  /** Not asked where the framing has the schema. */
  readonly schemas: SchemaSource;
}

export type MessageOptions = JsonMessageOptions | CsvMessageOptions | AvroMessageOptions;

/**
 * How a message says what schema it was written with: `confluent` by a byte 0 and the registry's id (four bytes, big-endian),
 * `single-object` by C3 01 and the fingerprint of the schema (Avro 1.12, "Single object encoding"), or not at all.
 */
export type MessageFraming = 'confluent' | 'single-object' | { readonly schema: string };

/** Where writers' schemas come from. Both throw AdvertiseXError where that cannot be told at the moment. */
export interface SchemaSource {
  /** Undefined: there is none with that id, and the source is sure of it. */
  byId(id: number): Promise<WriterSchema | undefined>;
  /** Those that messages without an id may have been written with. */
  candidates(): Promise<readonly WriterSchema[]>;
}

export interface WriterSchema {
  /** `AVRO`; others (`JSON`, `PROTOBUF`) decode nothing here. */
  readonly format: string;
  /** Self-contained: types of other subjects stand in it. */
  readonly text: string;
}
