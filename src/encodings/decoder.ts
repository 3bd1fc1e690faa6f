import type { Encoding } from '../domain/feeds.ts';
import type { QuarantineCode } from '../domain/outcome.ts';
import type { RecordSlots } from './record-slots.ts';

/**
 * The port of the encodings. A decoder is pushed bytes and calls its sink, synchronously, once for each record, in order.
 * It holds at most one unfinished record (or Avro block) and never throws on bad input: what does not decode is reported
 * to the sink, and decoding goes on where the encoding allows it.
 */
export interface Decoder extends CurrentRecord {
  push(chunk: Uint8Array): void;
  /** No more bytes will come: finishes, or reports, what is open. */
  end(): void;
  /** Begins with another stream, whose first record has that number. Absent where a new decoder is as cheap. */
  restart?(firstRecordNumber: number): void;
  /** The bytes before `push` are all that could be read (a cut gzip member, say): reports one damage unless one is reported already. */
  damage(message: string): void;
  /**
   * Between two pushes: a place at which the stream can be cut, so that decoders of their own make of both parts what this one makes
   * of the whole. Undefined where there is none. `anyway`: also where a part before it may be read in another way, as it is broken.
   */
  boundary(anyway: boolean): Boundary | undefined;
  /** False once a container was cut or damaged; nothing is decoded after that. */
  readonly complete: boolean;
  /** Names of fields that the contract does not know, with the number of records that held them. */
  readonly unknownFields: ReadonlyMap<string, number>;
}

/** What a decoder says of the record that its sink has in hand. Valid inside `sink.record`. */
export interface CurrentRecord {
  /** A self-contained document of that record only (a CSV record with its header row, an Avro file with one record): what quarantine keeps and replay decodes. */
  currentRaw(): Uint8Array;
  /** Where decoding can begin again to come to it. */
  resumePoint(): ResumePoint;
}

/** A place in a (decompressed) stream from which on it can be decoded without what stands before. */
export interface ResumePoint {
  /** Number of the first record that is decoded from here: the current one, or the first of its Avro block. */
  readonly recordNumber: number;
  /** In bytes. */
  readonly offset: number;
  /** What a new decoder is pushed first: a CSV header row, an Avro header, the bracket of a JSON array. */
  readonly header: Uint8Array;
}

/** Where a stream can be cut: bytes [end, start) belong to neither part. */
export interface Boundary {
  readonly end: number;
  /** What closes the part before, behind its bytes. */
  readonly trailer: Uint8Array;
  readonly start: number;
  /** What opens the part behind, before its bytes. */
  readonly header: Uint8Array;
}

export interface RecordSink {
  /** Takes records before they are decoded, where it can. */
  readonly lane?: RecordLane | undefined;
  record(slots: RecordSlots): void;
  /** A record that does not decode. It counts as received. */
  malformed(problem: MalformedRecord): void;
}

/**
 * A way past the decoder for plain records. It takes as many as follow each other, and leaves the next one to the decoder,
 * which then asks again. What it takes becomes what the decoder and the sink would have made of it.
 */
export interface RecordLane {
  /** The bytes that records are taken from next. */
  open(bytes: Uint8Array, start: number, end: number): void;
  /** Takes JSON objects, each with its line break, from `start` on; returns how many. The first has this number. */
  takeLines(start: number, recordNumber: number): number;
  /** Another stream begins: what `knowField` was told of the one before is forgotten. */
  forgetFields(): void;
  /** A JSON key that the contract does not know may stand in plain records from here on. `prefix`: of the object it stands in, `auction.`, or empty. */
  knowField(prefix: string, name: Uint8Array): UnknownFieldCount | undefined;
  /** Says which records `takeAvro` is asked for. */
  useProgram(program: AvroProgram): void;
  /** Takes at most `count` records of an Avro block from `start` on. */
  takeAvro(start: number, count: number, recordNumber: number): number;
  /** Takes the JSON object that stands from `start` to the end of what was opened, where that is one and nothing else. */
  takeObject(start: number, recordNumber: number): boolean;
  /** The same for an Avro record. */
  takeAvroRecord(start: number, recordNumber: number): boolean;
  /** Position behind the last record that was taken. */
  readonly behind: number;
}

/** How many of the records that were taken held the field. */
export type UnknownFieldCount = () => number;

/** A writer's Avro schema compiled against the contract (avro/program.ts). */
export interface AvroProgram {
  readonly code: Int32Array;
  /** Symbols of the enums that are read. */
  readonly symbols: readonly (readonly Uint8Array[])[];
}

export interface MalformedRecord {
  readonly code: Extract<QuarantineCode, 'malformed' | 'too_large' | 'unknown_schema'>;
  readonly recordNumber: number;
  /** Says what is wrong and where (byte offset, line, block). */
  readonly message: string;
  /** The bytes that do not decode, in a form that replay can decode again where that makes sense; at most `maxRecordBytes`. A copy. */
  readonly raw: Uint8Array;
}

/**
 * Where a field stands in a record. `paths` are the names it may arrive under, each a list of nested keys, the contract's
 * own first: `[['auction','user_id'], ['user']]`. In CSV a nested path is a dotted header. At most one of them may be there.
 */
export interface FieldPath {
  readonly paths: readonly (readonly string[])[];
}

export interface DecoderOptions {
  readonly encoding: Encoding;
  readonly fields: readonly FieldPath[];
  /** A larger record is `too_large`; it is skipped, not held. Bytes. */
  readonly maxRecordBytes: number;
  /** CSV only: one byte, default `,`. */
  readonly delimiter?: string;
  /** Default 0. More where the input goes on where another one ended. */
  readonly firstRecordNumber?: number;
}
