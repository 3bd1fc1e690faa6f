import { DamagedStream } from './inflater.ts';

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

/** What the bytes that are read next are (RFC 8878 §3.1). */
type Part = 'magic' | 'descriptor' | 'header' | 'blockHeader' | 'block' | 'checksum' | 'skippableSize' | 'skippable';

/**
 * Finds where zstd frames end, from their headers alone: Node's decompressor stops after the first frame and does not
 * say that more follow it.
 */
export class ZstdFrameWalker {
  /** Between frames: the input may end here. */
  betweenFrames = true;
  /** The frame carries no data. Known once the magic number is. */
  isSkippable = false;
  private part: Part = 'magic';
  /** Bytes of the part that are still to come. */
  private missing = 4;
  /** Little-endian value of the part so far, and its next digit. */
  private value = 0;
  private unit = 1;
  private hasChecksum = false;
  private isLastBlock = false;

  /** Walks to the end of the frame, of its magic number, or of the piece, whichever is first; returns the position. */
  advance(piece: Uint8Array, start: number): number {
    let at = start;
    while (at < piece.length) {
      this.betweenFrames = false;
      const size = Math.min(this.missing, piece.length - at);
      if (this.part !== 'block' && this.part !== 'skippable' && this.part !== 'header' && this.part !== 'checksum') this.collect(piece, at, size);
      this.missing -= size;
      at += size;
      if (this.missing > 0) return at;
      const ended = this.part;
      this.startNextPart();
      if (this.betweenFrames || ended === 'magic') return at;
    }
    return at;
  }

  private collect(piece: Uint8Array, start: number, size: number): void {
    for (let at = start; at < start + size; at++) {
      this.value += (piece[at] as number) * this.unit;
      this.unit *= 256;
    }
  }

  private startNextPart(): void {
    const { value } = this;
    if (this.part === 'magic') this.startFrame(value);
    else if (this.part === 'skippableSize' && value > 0) this.expect('skippable', value);
    else if (this.part === 'descriptor') this.startHeader(value);
    else if (this.part === 'header') this.expect('blockHeader', 3);
    else if (this.part === 'blockHeader') this.startBlock(value);
    else if (this.part === 'block') this.endBlock();
    else this.endFrame();
  }

  private startFrame(magic: number): void {
    this.isSkippable = magic >= SKIPPABLE_MAGIC && magic < SKIPPABLE_MAGIC + 16;
    if (!this.isSkippable && magic !== FRAME_MAGIC) throw new DamagedStream('bytes follow the compressed data that are none');
    this.expect(this.isSkippable ? 'skippableSize' : 'descriptor', this.isSkippable ? 4 : 1);
  }

  /** What follows the descriptor: window, dictionary and content size. */
  private startHeader(descriptor: number): void {
    this.hasChecksum = (descriptor & 4) !== 0;
    const singleSegment = (descriptor & 0x20) !== 0;
    const dictionary = [0, 1, 2, 4][descriptor & 3] as number;
    const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
    this.expect('header', (singleSegment ? 0 : 1) + dictionary + contentSize);
  }

  private startBlock(header: number): void {
    this.isLastBlock = (header & 1) !== 0;
    const isRun = ((header >> 1) & 3) === 1;
    const size = isRun ? 1 : header >> 3;
    if (size === 0) this.endBlock();
    else this.expect('block', size);
  }

  private endBlock(): void {
    if (!this.isLastBlock) this.expect('blockHeader', 3);
    else if (this.hasChecksum) this.expect('checksum', 4);
    else this.endFrame();
  }

  private endFrame(): void {
    this.expect('magic', 4);
    this.betweenFrames = true;
  }

  private expect(part: Part, bytes: number): void {
    this.part = part;
    this.missing = bytes;
    this.value = 0;
    this.unit = 1;
  }
}
