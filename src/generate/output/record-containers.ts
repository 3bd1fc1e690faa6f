import { crc32, deflateRawSync, zstdCompressSync } from 'node:zlib';
import { compress as snappyCompress } from 'snappyjs';
import { AvroWriter } from '../records/avro-writer.ts';
import type { OutputFile } from './output-file.ts';

/** Where the bytes go. */
type Sink = Pick<OutputFile, 'append'>;

/** How records stand together in a file. */
export interface RecordContainer {
  append(bytes: Buffer, start: number, end: number): void;
  finish(): void;
}

/** Records one after another, after an optional header: JSON lines, CSV. */
export class PlainContainer implements RecordContainer {
  private readonly file: Sink;

  constructor(file: Sink, header: string) {
    this.file = file;
    const bytes = Buffer.from(header);
    file.append(bytes, 0, bytes.length);
  }

  append(bytes: Buffer, start: number, end: number): void {
    this.file.append(bytes, start, end);
  }

  finish(): void {}
}

export type AvroCodec = 'null' | 'deflate' | 'snappy' | 'zstandard';

const BLOCK_BYTES = 1 << 16;

/** Avro's object container file: a header with the schema, then blocks of records, each closed by the sync marker. */
export class AvroContainer implements RecordContainer {
  private readonly file: Sink;
  private readonly codec: AvroCodec;
  private readonly sync: Buffer;
  private readonly block = new AvroWriter(BLOCK_BYTES + 4096);
  private readonly head = new AvroWriter(BLOCK_BYTES + 8192);
  private count = 0;

  constructor(file: Sink, schema: string, codec: AvroCodec, sync: Buffer) {
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
    file.append(header.bytes, 0, header.length);
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
    this.head.clear();
    this.head.long(this.count);
    this.head.long(data.length);
    this.head.raw(data);
    this.head.raw(this.sync);
    this.file.append(this.head.bytes, 0, this.head.length);
    this.block.clear();
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
