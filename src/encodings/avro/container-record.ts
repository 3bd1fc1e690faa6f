import { type ContainerHeader, readHeader, readLong } from './container-header.ts';

/** What the document of one record holds. */
export interface ContainedRecord {
  /** That it was written with. */
  readonly schema: string;
  /** Avro's binary form of the record alone. */
  readonly record: Uint8Array;
}

/** Takes records out of documents of one (as `Decoder.currentRaw` gives them). Those of one file have the same header, which is read once. */
export class ContainerRecords {
  private header: ContainerHeader | undefined;
  private headerBytes: Buffer = Buffer.alloc(0);

  take(document: Uint8Array): ContainedRecord {
    const bytes = Buffer.from(document.buffer, document.byteOffset, document.length);
    const known = this.headerBytes.length;
    if (this.header === undefined || !this.headerBytes.equals(bytes.subarray(0, known))) {
      this.header = readHeader(bytes, 0, bytes.length) as ContainerHeader;
      this.headerBytes = Buffer.from(bytes.subarray(0, this.header.end));
    }
    const { schema, end } = this.header;
    const count = readLong(bytes, end, bytes.length);
    const size = count && readLong(bytes, count.behind, bytes.length);
    if (size === undefined || count?.value !== 1) throw new TypeError('not the document of one record');
    return { schema, record: bytes.subarray(size.behind, size.behind + size.value) };
  }
}
