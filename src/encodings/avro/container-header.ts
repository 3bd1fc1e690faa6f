import { CODECS, type Codec } from './block-codecs.ts';

export const SYNC_BYTES = 16;
export const MAGIC = [0x4f, 0x62, 0x6a, 0x01] as const;
/** A larger header (its schema, that is) is refused. */
export const MAX_HEADER_BYTES = 4 * 1024 * 1024;

/** The bytes are no container file's; `behind` is the place behind the ones that tell. */
export class ContainerProblem extends Error {
  readonly behind: number;

  constructor(message: string, behind: number) {
    super(message);
    this.behind = behind;
  }
}

/** What an object container file says of itself before its blocks. */
export interface ContainerHeader {
  readonly schema: string;
  readonly codec: Codec;
  readonly sync: Uint8Array;
  /** Position behind the header. */
  readonly end: number;
}

/** The header at `start`; undefined where the bytes end inside it. Throws ContainerProblem where it is none. */
export function readHeader(bytes: Uint8Array, start: number, end: number): ContainerHeader | undefined {
  for (let i = 0; i < MAGIC.length; i++) {
    if (start + i >= end) return undefined;
    if (bytes[start + i] !== MAGIC[i]) throw new ContainerProblem('it does not start like an Avro object container file', start + i + 1);
  }
  const reader = new HeaderReader(bytes, start + MAGIC.length, end);
  const entries = reader.readEntries();
  if (entries === undefined || reader.at + SYNC_BYTES > end) return undefined;
  const codec = entries.get('avro.codec') ?? new TextEncoder().encode('null');
  const codecName = new TextDecoder().decode(codec);
  if (!isCodec(codecName)) throw new ContainerProblem(`its codec "${codecName.slice(0, 40)}" is not known (known: ${CODECS.join(', ')})`, reader.at);
  const schema = entries.get('avro.schema');
  if (schema === undefined) throw new ContainerProblem('it names no schema', reader.at);
  return { schema: schemaText(schema, reader.at), codec: codecName, sync: bytes.slice(reader.at, reader.at + SYNC_BYTES), end: reader.at + SYNC_BYTES };
}

/** The header of a container file whose blocks are not compressed. */
export function writeHeader(schema: string, sync: Uint8Array): Uint8Array {
  const text = Buffer.from(schema);
  const codec = [...writeText('avro.codec'), ...writeText('null')];
  const parts: Uint8Array[] = [Uint8Array.from(MAGIC), Uint8Array.from([4, ...writeText('avro.schema'), ...writeLong(text.length)]), text];
  return Buffer.concat([...parts, Uint8Array.from([...codec, 0]), sync]);
}

/** A container file of one record, behind its header: what makes the record a document of its own. */
export function writeContainer(header: Uint8Array, sync: Uint8Array, record: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([header, Uint8Array.from([2, ...writeLong(record.length)]), record, sync]));
}

/** The variable-length zig-zag form of a number that is not negative. */
function writeLong(value: number): number[] {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

function writeText(text: string): number[] {
  const bytes = Buffer.from(text);
  return [...writeLong(bytes.length), ...bytes];
}

function isCodec(name: string): name is Codec {
  return (CODECS as readonly string[]).includes(name);
}

function schemaText(bytes: Uint8Array, behind: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ContainerProblem('its schema is not UTF-8', behind);
  }
}

/** Reads the metadata, a map of bytes. Results are undefined where the bytes end. */
class HeaderReader {
  at: number;
  private readonly bytes: Uint8Array;
  private readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  readEntries(): Map<string, Uint8Array> | undefined {
    const entries = new Map<string, Uint8Array>();
    for (;;) {
      const count = this.readLong();
      if (count === undefined || count === 0) return count === undefined ? undefined : entries;
      if (count < 0 && this.readLong() === undefined) return undefined;
      for (let i = 0; i < Math.abs(count); i++) {
        const key = this.readBytes();
        const value = key && this.readBytes();
        if (key === undefined || value === undefined) return undefined;
        entries.set(new TextDecoder().decode(key), value);
      }
    }
  }

  private readBytes(): Uint8Array | undefined {
    const length = this.readLong();
    if (length === undefined) return undefined;
    if (length < 0 || length > MAX_HEADER_BYTES) throw new ContainerProblem('its header holds a length that is none', this.at);
    if (this.at + length > this.end) return undefined;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  private readLong(): number | undefined {
    const long = readLong(this.bytes, this.at, this.end);
    if (long === undefined) return undefined;
    this.at = long.behind;
    return long.value;
  }
}

/** A long as a number, which is exact up to 2^53: larger ones are refused by whoever reads them. Undefined where the bytes end. */
export function readLong(bytes: Uint8Array, start: number, end: number): { readonly value: number; readonly behind: number } | undefined {
  let value = 0;
  let unit = 1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * unit;
    unit *= 0x80;
    if (byte < 0x80) return { value: value % 2 === 0 ? value / 2 : -(value + 1) / 2, behind: at + 1 };
    if (at - start >= 9) throw new ContainerProblem('a number is longer than 64 bits', at + 1);
  }
  return undefined;
}
