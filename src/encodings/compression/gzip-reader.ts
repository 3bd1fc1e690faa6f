import { DamagedStream, Inflater } from './inflater.ts';

/** Decompresses a stream of bytes that come in any pieces. */
export interface CompressionReader {
  /** What the piece decompresses to. Throws DamagedStream. */
  write(piece: Uint8Array): AsyncGenerator<Uint8Array>;
  /** Throws DamagedStream where the data is not at its end. */
  finish(): AsyncGenerator<Uint8Array>;
  close(): void;
}

/** Gzip (RFC 1952) of any number of members, with zero bytes after them (tapes and block devices pad). */
export class GzipReader implements CompressionReader {
  private inflater: Inflater | undefined = new Inflater('gzip');
  private written = 0;

  async *write(piece: Uint8Array): AsyncGenerator<Uint8Array> {
    if (this.inflater === undefined) {
      yield* this.startNextMember(piece);
      return;
    }
    yield* this.inflater.write(piece);
    this.written += piece.length;
    const unused = this.written - this.inflater.consumed;
    if (unused === 0) return;
    // Only padding makes zlib leave bytes: the data has ended.
    this.close();
    yield* this.startNextMember(piece.subarray(piece.length - unused));
  }

  async *finish(): AsyncGenerator<Uint8Array> {
    if (this.inflater !== undefined) yield* this.inflater.finish();
  }

  close(): void {
    this.inflater?.close();
    this.inflater = undefined;
  }

  private async *startNextMember(piece: Uint8Array): AsyncGenerator<Uint8Array> {
    const start = piece.findIndex((byte) => byte !== 0);
    if (start < 0) return;
    if (piece[start] !== 0x1f) throw new DamagedStream('bytes follow the compressed data that are none');
    this.inflater = new Inflater('gzip');
    this.written = 0;
    yield* this.write(piece.subarray(start));
  }
}
