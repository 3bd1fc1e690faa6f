import { deserialize, serialize } from 'node:v8';
import { z } from 'zod';
import { AdvertiseXError, ERROR_CODES, type ErrorCode } from '../../domain/errors.ts';
import type { EngineValue, ReadStatement } from '../engine.ts';

/**
 * How processes of one machine ask the one that owns the tables. A connection carries one statement, or one piece of work:
 *
 *     asks:     request
 *     answers:  columns, rows…, end            or, at any point,   failure
 *     asks:     work
 *     answers:  progress…, result, end         or, at any point,   failure
 *
 * in frames of a length (4 bytes, big-endian), a kind (1 byte) and a body. Bodies are in V8's own serialisation, which keeps
 * every value that an engine gives; a failure is JSON, so that any version can read it. Who asks waits no more once the connection
 * is closed, and neither side sends what the other has no room for.
 */
export const FRAME_HEAD_BYTES = 5;

/** Ours, and that of the serialisation: a newer one may not be readable. */
export const PROTOCOL = `2.${serialize(null)[1]}`;

export const FRAMES = { request: 1, columns: 2, rows: 3, end: 4, failure: 5, work: 6, progress: 7, result: 8 } as const;

export interface Frame {
  readonly kind: number;
  readonly body: Uint8Array;
}

export const MAX_REQUEST_BYTES = 1_048_576;
/** Work may name many files, each with the folders that it is in. */
export const MAX_WORK_BYTES = 16_777_216;
/** A row is sent whole, and may hold a record of the largest size there is, spelled out. */
export const MAX_ANSWER_BYTES = 536_870_912;

export function frame(kind: number, body: Uint8Array = new Uint8Array(0)): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(body.byteLength, 0);
  head.writeUInt8(kind, 4);
  return Buffer.concat([head, body]);
}

export class FrameTooLarge extends Error {
  readonly kind: number;
  readonly bytes: number;
  readonly maxBytes: number;

  constructor(kind: number, bytes: number, maxBytes: number) {
    super(`${bytes} bytes`);
    this.kind = kind;
    this.bytes = bytes;
    this.maxBytes = maxBytes;
  }
}

/** Puts frames together again; what is not complete yet is all that is kept. */
export class FrameReader {
  private readonly maxBytes: (kind: number) => number;
  private readonly pieces: Uint8Array[] = [];
  private held = 0;

  /** How large a body may be: any, or one of a kind. */
  constructor(maxBytes: number | ((kind: number) => number)) {
    this.maxBytes = typeof maxBytes === 'number' ? () => maxBytes : maxBytes;
  }

  /** Whether some of a frame is there, and not all of it. */
  get hasPart(): boolean {
    return this.held > 0;
  }

  push(bytes: Uint8Array): Frame[] {
    this.pieces.push(bytes);
    this.held += bytes.byteLength;
    const frames: Frame[] = [];
    for (let next = this.take(); next !== undefined; next = this.take()) frames.push(next);
    return frames;
  }

  private take(): Frame | undefined {
    if (this.held < FRAME_HEAD_BYTES) return undefined;
    if ((this.pieces[0] as Uint8Array).byteLength < FRAME_HEAD_BYTES) this.join();
    const [first] = this.pieces as [Uint8Array];
    const head = new DataView(first.buffer, first.byteOffset, FRAME_HEAD_BYTES);
    const length = head.getUint32(0);
    const kind = head.getUint8(4);
    const maxBytes = this.maxBytes(kind);
    if (length > maxBytes) throw new FrameTooLarge(kind, length, maxBytes);
    const end = FRAME_HEAD_BYTES + length;
    if (this.held < end) return undefined;
    if (first.byteLength < end) this.join();
    const [whole] = this.pieces as [Uint8Array];
    this.held -= end;
    if (whole.byteLength === end) this.pieces.shift();
    else this.pieces[0] = whole.subarray(end);
    return { kind, body: whole.subarray(FRAME_HEAD_BYTES, end) };
  }

  private join(): void {
    this.pieces.splice(0, this.pieces.length, Buffer.concat(this.pieces));
  }
}

const valueSchema = z.custom<EngineValue>(
  (value) => value === null || value instanceof Uint8Array || ['string', 'number', 'bigint', 'boolean'].includes(typeof value),
);

const requestSchema = z.strictObject({
  protocol: z.literal(PROTOCOL),
  sql: z.string(),
  parameters: z.record(z.string(), valueSchema),
  asOf: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).nullable(),
  values: z.enum(['engine', 'cells']),
});

/** Something that the owner is to do: what it is called, and plain data that whoever does it knows how to read. */
export interface WorkRequest {
  readonly work: string;
  readonly argument: unknown;
}

const workSchema = z.strictObject({ protocol: z.literal(PROTOCOL), work: z.string(), argument: z.unknown() });

export function encodeRequest(statement: ReadStatement): Buffer {
  return encodeAsked(FRAMES.request, { protocol: PROTOCOL, ...statement });
}

export function encodeWork({ work, argument }: WorkRequest): Buffer {
  return encodeAsked(FRAMES.work, { protocol: PROTOCOL, work, argument });
}

/** What is too long is told before it is sent: whoever is still sending may not come to read the answer. */
function encodeAsked(kind: number, asked: unknown): Buffer {
  const body = serialize(asked);
  const maxBytes = maxAskedBytes(kind);
  if (body.byteLength > maxBytes) throw tooMuchAsked(new FrameTooLarge(kind, body.byteLength, maxBytes));
  return frame(kind, body);
}

export function maxAskedBytes(kind: number): number {
  return kind === FRAMES.work ? MAX_WORK_BYTES : MAX_REQUEST_BYTES;
}

function isAsked(kind: number): boolean {
  return kind === FRAMES.request || kind === FRAMES.work;
}

export function tooMuchAsked(tooLarge: FrameTooLarge): AdvertiseXError {
  const { kind, bytes, maxBytes } = tooLarge;
  if (!isAsked(kind)) return otherProtocol('What was asked is too much', tooLarge);
  return new AdvertiseXError(
    'usage',
    `What the process that holds the data is asked for is too long: ${bytes.toLocaleString('en')} bytes, of ${maxBytes.toLocaleString('en')} at most`,
    'Ask for it in several commands, or name folders and quoted patterns in place of many files.',
    tooLarge,
  );
}

export function decodeAsked({ kind, body }: Frame): ReadStatement | WorkRequest {
  try {
    if (!isAsked(kind)) throw new Error(`a frame of kind ${kind}`);
    const { protocol: _, ...asked } = (kind === FRAMES.work ? workSchema : requestSchema).parse(deserialize(body));
    return asked;
  } catch (cause) {
    throw otherProtocol('What was asked cannot be read', cause);
  }
}

export function otherProtocol(what: string, cause?: unknown): AdvertiseXError {
  return new AdvertiseXError(
    'data_locked',
    `${what}: the other process does not speak protocol ${PROTOCOL}`,
    'Use the same version of AdvertiseX and of Node.js for both, or stop the process that holds the data.',
    cause,
  );
}

export function encodeFailure({ code, message, remedy }: AdvertiseXError): Buffer {
  return frame(FRAMES.failure, Buffer.from(JSON.stringify({ code, message, remedy })));
}

const failureSchema = z.object({ code: z.string(), message: z.string(), remedy: z.string() });

export function decodeFailure(body: Uint8Array): AdvertiseXError {
  const { code, message, remedy } = failureSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')));
  return new AdvertiseXError(code in ERROR_CODES ? (code as ErrorCode) : 'engine_failed', message, remedy);
}

export function encodeAnswer(kind: number, answer: unknown): Buffer {
  return frame(kind, serialize(answer));
}

export function decodeAnswer(body: Uint8Array): unknown {
  try {
    return deserialize(body);
  } catch (cause) {
    throw otherProtocol('The answer cannot be read', cause);
  }
}
