import type { CompressionReader } from './gzip-reader.ts';
import { DamagedStream, Inflater } from './inflater.ts';
import { ZstdFrameWalker } from './zstd-frame-walker.ts';

/** Zstandard (RFC 8878) of any number of frames, skippable ones among them. */
export class ZstdReader implements CompressionReader {
  private readonly walker = new ZstdFrameWalker();
  private inflater: Inflater | undefined;
  /** A frame's magic number, which says whether the frame is data, as far as it has come. */
  private magic: Uint8Array[] = [];
  private inSkippable = false;
  private isEmpty = true;

  async *write(piece: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < piece.length; ) {
      this.isEmpty = false;
      const inMagic = this.inflater === undefined && !this.inSkippable;
      const next = this.walker.advance(piece, at);
      const part = piece.subarray(at, next);
      at = next;
      if (inMagic) yield* this.takeMagic(part);
      else if (this.inflater !== undefined) yield* this.inflater.write(part);
      if (this.walker.betweenFrames) yield* this.endFrame();
    }
  }

  async *finish(): AsyncGenerator<Uint8Array> {
    if (this.walker.betweenFrames && !this.isEmpty) return;
    if (this.inflater !== undefined) yield* this.inflater.finish();
    throw new DamagedStream('unexpected end of file');
  }

  close(): void {
    this.inflater?.close();
    this.inflater = undefined;
  }

  private async *takeMagic(part: Uint8Array): AsyncGenerator<Uint8Array> {
    this.magic.push(new Uint8Array(part));
    if (this.magic.reduce((bytes, { length }) => bytes + length, 0) < 4) return;
    const magic = Buffer.concat(this.magic);
    this.magic = [];
    this.inSkippable = this.walker.isSkippable;
    if (this.inSkippable) return;
    this.inflater = new Inflater('zstd');
    yield* this.inflater.write(magic);
  }

  private async *endFrame(): AsyncGenerator<Uint8Array> {
    if (this.inflater !== undefined) yield* this.inflater.finish();
    this.close();
    this.inSkippable = false;
  }
}
