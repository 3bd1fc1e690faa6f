import { ByteCopier } from './byte-copier.ts';

/**
 * MurmurHash3 x86_128, seed 0, over the parts of an identity, each followed by the byte 0x1F. What decides that two records
 * are one event (SEMANTICS §5), so its result must never change: it is stored in every table.
 *
 * Why this function: 128 bits, so that two different events share a key only by intent; 32-bit arithmetic alone, which
 * JavaScript does exactly and fast; published, so that any other program can recompute a key.
 *
 * One instance serves one record at a time and allocates nothing: begin, parts, finish, then read h1…h4.
 */
export class KeyHasher {
  /** h1 h2 h3 h4 of the last `finish`, unsigned. Typed, because a field would box every value above 2³¹. */
  readonly words = new Uint32Array(4);
  private bytes = new Uint8Array(1024);
  /** The same bytes as 32-bit words; little-endian like every machine that Node.js and DuckDB run on. */
  private blocks = new Int32Array(this.bytes.buffer);
  private view = new DataView(this.bytes.buffer);
  private readonly copier = new ByteCopier();
  private length = 0;

  get h1(): number {
    return this.words[0] as number;
  }
  get h2(): number {
    return this.words[1] as number;
  }
  get h3(): number {
    return this.words[2] as number;
  }
  get h4(): number {
    return this.words[3] as number;
  }

  begin(): void {
    this.length = 0;
  }

  /** A part of UTF-8 text; empty text is a part of no bytes. */
  text(buffer: Uint8Array, start: number, end: number): void {
    const at = this.length;
    const after = at + (end - start);
    if (after >= this.bytes.length) this.grow(after + 1);
    const bytes = this.bytes;
    this.copier.copy(buffer, start, end, bytes, this.view, at);
    bytes[after] = SEPARATOR;
    this.length = after + 1;
  }

  /** A part of 7-bit text, `impression` or `natural`. */
  ascii(text: string): void {
    const length = text.length;
    let at = this.length;
    if (at + length >= this.bytes.length) this.grow(at + length + 1);
    const bytes = this.bytes;
    for (let i = 0; i < length; i++) bytes[at++] = text.charCodeAt(i);
    bytes[at] = SEPARATOR;
    this.length = at + 1;
  }

  /** A part made of the decimal digits of a safe integer. */
  number(value: number): void {
    let at = this.length;
    if (at + 18 > this.bytes.length) this.grow(at + 18);
    const bytes = this.bytes;
    let rest = value;
    if (rest < 0) {
      bytes[at++] = MINUS;
      rest = -rest;
    }
    if (rest < 1e8) {
      at = this.digits(rest | 0, at, 1);
    } else {
      // Halves of at most 8 digits, because only 32-bit division is cheap.
      const high = Math.floor(rest / 1e8);
      at = high < 1e8 ? this.digits(high | 0, at, 1) : this.digits((high % 1e8) | 0, this.digits((high / 1e8) | 0, at, 1), 8);
      at = this.digits((rest - high * 1e8) | 0, at, 8);
    }
    this.bytes[at] = SEPARATOR;
    this.length = at + 1;
  }

  /** Four bytes as they are, without a separator: for what has a fixed length (a tag, a hash). */
  word(value: number): void {
    const at = this.length;
    if (at + 4 > this.bytes.length) this.grow(at + 4);
    this.view.setInt32(at, value, true);
    this.length = at + 4;
  }

  /** A part that is null: a byte that UTF-8 never holds, so that null differs from empty and from any text. */
  absent(): void {
    const at = this.length;
    if (at + 2 > this.bytes.length) this.grow(at + 2);
    this.bytes[at] = NOT_UTF8;
    this.bytes[at + 1] = SEPARATOR;
    this.length = at + 2;
  }

  finish(): void {
    const length = this.length;
    const paddedLength = (length + 15) & ~15;
    if (paddedLength > this.bytes.length) this.grow(paddedLength);
    // Zeros after the end make the tail whole words: a zero word changes nothing in the tail's mixing.
    for (let i = length; i < paddedLength; i++) this.bytes[i] = 0;
    const blocks = this.blocks;
    const bodyEnd = (length >>> 4) << 2;
    let h1 = 0;
    let h2 = 0;
    let h3 = 0;
    let h4 = 0;
    let k = 0;
    let i = 0;
    for (; i < bodyEnd; i += 4) {
      k = Math.imul(blocks[i] as number, C1);
      h1 ^= Math.imul((k << 15) | (k >>> 17), C2);
      h1 = (((h1 << 19) | (h1 >>> 13)) + h2) | 0;
      h1 = (Math.imul(h1, 5) + 0x561ccd1b) | 0;
      k = Math.imul(blocks[i + 1] as number, C2);
      h2 ^= Math.imul((k << 16) | (k >>> 16), C3);
      h2 = (((h2 << 17) | (h2 >>> 15)) + h3) | 0;
      h2 = (Math.imul(h2, 5) + 0x0bcaa747) | 0;
      k = Math.imul(blocks[i + 2] as number, C3);
      h3 ^= Math.imul((k << 17) | (k >>> 15), C4);
      h3 = (((h3 << 15) | (h3 >>> 17)) + h4) | 0;
      h3 = (Math.imul(h3, 5) + 0x96cd1c35) | 0;
      k = Math.imul(blocks[i + 3] as number, C4);
      h4 ^= Math.imul((k << 18) | (k >>> 14), C1);
      h4 = (((h4 << 13) | (h4 >>> 19)) + h1) | 0;
      h4 = (Math.imul(h4, 5) + 0x32ac3b17) | 0;
    }
    if (paddedLength !== length) {
      k = Math.imul(blocks[i] as number, C1);
      h1 ^= Math.imul((k << 15) | (k >>> 17), C2);
      k = Math.imul(blocks[i + 1] as number, C2);
      h2 ^= Math.imul((k << 16) | (k >>> 16), C3);
      k = Math.imul(blocks[i + 2] as number, C3);
      h3 ^= Math.imul((k << 17) | (k >>> 15), C4);
      k = Math.imul(blocks[i + 3] as number, C4);
      h4 ^= Math.imul((k << 18) | (k >>> 14), C1);
    }
    h1 ^= length;
    h2 ^= length;
    h3 ^= length;
    h4 ^= length;
    h1 = (h1 + h2 + h3 + h4) | 0;
    h2 = avalanche((h2 + h1) | 0);
    h3 = avalanche((h3 + h1) | 0);
    h4 = avalanche((h4 + h1) | 0);
    h1 = avalanche(h1);
    h1 = (h1 + h2 + h3 + h4) | 0;
    const words = this.words;
    words[0] = h1;
    words[1] = h2 + h1;
    words[2] = h3 + h1;
    words[3] = h4 + h1;
  }

  /** Text form of the last key: 32 lower-case hex digits. Not for the hot path. */
  hex(): string {
    let text = '';
    for (const word of this.words) text += word.toString(16).padStart(8, '0');
    return text;
  }

  /** Writes `value` with at least `width` digits and returns where it ended. */
  private digits(value: number, at: number, width: number): number {
    let count = 1;
    for (let limit = 10; count < 8 && value >= limit; limit *= 10) count++;
    if (count < width) count = width;
    let rest = value;
    let to = at + count;
    while (to - at >= 2) {
      const hundredth = (rest / 100) | 0;
      to -= 2;
      this.view.setUint16(to, PAIRS[rest - hundredth * 100] as number, true);
      rest = hundredth;
    }
    if (to > at) this.bytes[at] = 48 + rest;
    return at + count;
  }

  private grow(needed: number): void {
    let size = this.bytes.length;
    while (size < needed) size *= 2;
    const bigger = new Uint8Array(size);
    bigger.set(this.bytes.subarray(0, this.length));
    this.bytes = bigger;
    this.blocks = new Int32Array(bigger.buffer);
    this.view = new DataView(bigger.buffer);
  }
}

/** Both digits of 0…99, the tens in the byte that comes first. */
const PAIRS = Uint16Array.from({ length: 100 }, (_, value) => 0x3030 | ((value % 10) << 8) | Math.floor(value / 10));

const SEPARATOR = 0x1f;
const MINUS = 0x2d;
const NOT_UTF8 = 0xff;
const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;

/** `fmix32` of the published algorithm. */
function avalanche(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
