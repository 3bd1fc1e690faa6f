import { crc32, deflateRawSync, zstdCompressSync } from 'node:zlib';
import { compress as snappyCompress } from 'snappyjs';
import { AvroWriter } from '../records/avro-writer.ts';
import type { OutputFile } from './output-file.ts';

/** How records stand together in a file. */
export interface RecordContainer {
  append(bytes: Buffer, start: number, end: number): void;
  finish(): void;
}

const CHUNK_BYTES = 1 << 18;

/** Records one after another, after an optional header: JSON lines, CSV. */
export class PlainContainer implements RecordContainer {
  private readonly file: OutputFile;
  private chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  private length = 0;

  constructor(file: OutputFile, header: string) {
    this.file = file;
    this.length = this.chunk.write(header);
  }

  append(bytes: Buffer, start: number, end: number): void {
    if (this.length + end - start > this.chunk.length) this.flush(end - start);
    this.length += bytes.copy(this.chunk, this.length, start, end);
  }

  finish(): void {
    this.flush(0);
  }

  private flush(next: number): void {
    if (this.length > 0) this.file.write(this.chunk.subarray(0, this.length));
    this.chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, next));
    this.length = 0;
  }
}

export type AvroCodec = 'null' | 'deflate' | 'snappy' | 'zstandard';

const BLOCK_BYTES = 1 << 16;

/** Avro's object container file: a header with the schema, then blocks of records, each closed by the sync marker. */
export class AvroContainer implements RecordContainer {
  private readonly file: OutputFile;
  private readonly codec: AvroCodec;
  private readonly sync: Buffer;
  private block = new AvroWriter();
  private count = 0;

  constructor(file: OutputFile, schema: string, codec: AvroCodec, sync: Buffer) {
    this.file = file;
    this.codec = codec;
    this.sync = sync;
    const header = new AvroWriter();
    header.raw(Buffer.from('Obj\u0001', 'latin1'));
    header.long(2);
    header.text('avro.schema');
    header.text(schema);
    header.text('avro.codec');
    header.text(codec);
    header.long(0);
    header.raw(sync);
    file.write(header.bytes.subarray(0, header.length));
  }

  append(bytes: Buffer, start: number, end: number): void {
    this.block.rawRange(bytes, start, end);
    this.count++;
    if (this.block.length >= BLOCK_BYTES) this.closeBlock();
  }

  finish(): void {
    if (this.count > 0) this.closeBlock();
  }

  private closeBlock(): void {
    const plain = this.block.bytes.subarray(0, this.block.length);
    const data = compressed(plain, this.codec);
    const head = new AvroWriter(64);
    head.long(this.count);
    head.long(data.length);
    this.file.write(head.bytes.subarray(0, head.length));
    this.file.write(data);
    this.file.write(this.sync);
    // With no codec the file holds the block's own buffer now.
    this.block = new AvroWriter(BLOCK_BYTES + 4096);
    this.count = 0;
  }
}

function compressed(plain: Buffer, codec: AvroCodec): Buffer {
  switch (codec) {
    case 'null':
      return plain;
    case 'deflate':
      return deflateRawSync(plain, { level: 3 });
    case 'zstandard':
      return zstdCompressSync(plain);
    case 'snappy': {
      // The codec's block ends with the CRC-32 of the plain bytes, big-endian.
      const packed = Buffer.from(snappyCompress(plain));
      const sum = Buffer.alloc(4);
      sum.writeUInt32BE(crc32(plain));
      return Buffer.concat([packed, sum]);
    }
  }
}
