import * as zlib from 'node:zlib';
import avro from 'avsc';
import snappy from 'snappyjs';

/** Longs as BigInt, which avsc leaves to its user: its own lose digits past 2^53. */
export const EXACT_LONG = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

export type Codec = 'null' | 'deflate' | 'snappy' | 'zstandard';
export const CODECS: readonly Codec[] = ['null', 'deflate', 'snappy', 'zstandard'];

export interface AvroFile {
  readonly bytes: Uint8Array;
  /** Where the header ends, and each block. */
  readonly ends: readonly number[];
  /** The same, each record alone. */
  readonly records: readonly Uint8Array[];
}

/** How avsc sees a schema: unions of wrapped values, exact longs. */
export function avroType(schema: unknown): avro.Type {
  return avro.Type.forSchema(schema as avro.Schema, { typeHook: exactLong, wrapUnions: true, noAnonymousTypes: false } as never);
}

function exactLong(schema: unknown): avro.Type | undefined {
  return schema === 'long' || (schema as { type?: unknown }).type === 'long' ? EXACT_LONG : undefined;
}

/** An object container file, a block for each list of values. avsc encodes the values; the container is written here, to be broken at will. */
export function writeAvro(
  schema: unknown,
  blocks: readonly (readonly unknown[])[],
  codec: Codec = 'null',
  sync = Buffer.alloc(16, 'sync-marker-here'),
): AvroFile {
  const type = avroType(schema);
  return writeBlocks(
    JSON.stringify(schema),
    blocks.map((values) => values.map((value) => type.toBuffer(value))),
    codec,
    sync,
  );
}

export function writeBlocks(
  schema: string,
  blocks: readonly (readonly Uint8Array[])[],
  codec: string = 'null',
  sync = Buffer.alloc(16, 'sync-marker-here'),
): AvroFile {
  const parts: Uint8Array[] = [Buffer.from('Obj\x01'), long(2), text('avro.schema'), text(schema), text('avro.codec'), text(codec), long(0), sync];
  const ends = [Buffer.concat(parts).length];
  for (const records of blocks) {
    const data = compress(codec, Buffer.concat(records));
    parts.push(long(records.length), long(data.length), data, sync);
    ends.push(Buffer.concat(parts).length);
  }
  return { bytes: new Uint8Array(Buffer.concat(parts)), ends, records: blocks.flat() };
}

/** A long, zig-zag and variable-length. */
export function long(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

export function text(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([long(bytes.length), bytes]);
}

function compress(codec: string, data: Buffer): Buffer {
  if (codec === 'deflate') return zlib.deflateRawSync(data);
  if (codec === 'zstandard') return zlib.zstdCompressSync(data, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } });
  if (codec !== 'snappy') return data;
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(zlib.crc32(data));
  return Buffer.concat([snappy.compress(data), checksum]);
}
