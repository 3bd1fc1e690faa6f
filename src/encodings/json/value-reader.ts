import { lowestFlag } from '../find-byte.ts';
import {
  BACKSLASH,
  BROKEN,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  DOT,
  isDigit,
  isSpace,
  LINE_FEED,
  MINUS,
  NEED_MORE,
  OPEN_ARRAY,
  OPEN_OBJECT,
  PLUS,
  QUOTE,
  STRING_STOPS,
  ZERO,
} from './bytes.ts';
import { isHexDigit, isShortEscape } from './escapes.ts';

/** Deeper records are malformed: nothing in ad traffic is, and readers further on have limits of their own. */
export const MAX_DEPTH = 64;

const LITERALS: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  ['true', 'false', 'null'].map((word) => [word.charAt(0), new TextEncoder().encode(word)]),
);
const TRUE = LITERALS.t as Uint8Array;
const FALSE = LITERALS.f as Uint8Array;
const NULL = LITERALS.n as Uint8Array;

/** What a value that is walked over is followed by. */
const Expect = { value: 0, valueOrClose: 1, key: 2, keyOrClose: 3, afterValue: 4 } as const;

/**
 * Walks over JSON values in place, in the strict grammar of RFC 8259. Methods take the position where something starts
 * and return the one after it, or NEED_MORE (the bytes end inside), or BROKEN (`problem` and `problemAt` say why).
 */
export class ValueReader {
  protected bytes: Uint8Array = new Uint8Array(0);
  /** Over the same bytes: reads four at a time. */
  protected view: DataView = new DataView(new ArrayBuffer(0));
  protected end = 0;
  problem = '';
  problemAt = 0;
  /** What makes a record malformed though its grammar is right, or empty: reading goes on behind it. */
  flaw = '';
  /** Line breaks passed in white space. */
  lineBreaks = 0;
  private closers = new Uint8Array(2 * MAX_DEPTH);

  protected startAt(bytes: Uint8Array, end: number): void {
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.end = end;
    this.flaw = '';
    this.lineBreaks = 0;
  }

  /** Walks over any value. */
  skip(bytes: Uint8Array, start: number, end: number): number {
    this.startAt(bytes, end);
    return this.skipValue(start, 0);
  }

  protected broken(at: number, problem: string): number {
    this.problem = problem;
    this.problemAt = at;
    return BROKEN;
  }

  protected skipSpace(start: number): number {
    const { bytes, end } = this;
    let at = start;
    while (at < end) {
      const byte = bytes[at] as number;
      if (!isSpace(byte)) break;
      if (byte === LINE_FEED) this.lineBreaks++;
      at++;
    }
    return at;
  }

  protected skipValue(start: number, depth: number): number {
    const byte = this.bytes[start] as number;
    if (byte === QUOTE) return this.skipString(start + 1);
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) return this.skipNested(start, depth);
    return isDigit(byte) || byte === MINUS ? this.skipNumber(start) : this.skipLiteral(start);
  }

  /** From behind the opening quote. */
  protected skipString(start: number): number {
    const { bytes, end } = this;
    let at = start;
    for (;;) {
      at = findStringStop(this.view, bytes, at, end);
      if (at >= end) return NEED_MORE;
      const byte = bytes[at] as number;
      if (byte === QUOTE) return at + 1;
      if (byte !== BACKSLASH) return this.broken(at, 'a control character in a string (a line break, say) must be escaped');
      at = this.skipEscape(at + 1);
      if (at < 0) return at;
    }
  }

  protected skipNumber(start: number): number {
    const { bytes, end } = this;
    let at = start;
    if (bytes[at] === MINUS) at++;
    if (at >= end) return NEED_MORE;
    if (bytes[at] === ZERO) at++;
    else at = this.skipDigits(at);
    if (at >= 0 && at < end && bytes[at] === DOT) at = this.skipDigits(at + 1);
    if (at >= 0 && at < end && ((bytes[at] as number) | 0x20) === 0x65) {
      at++;
      if (at < end && (bytes[at] === PLUS || bytes[at] === MINUS)) at++;
      at = this.skipDigits(at);
    }
    return at >= end ? NEED_MORE : at;
  }

  protected skipLiteral(start: number): number {
    const { bytes, end } = this;
    const first = bytes[start];
    const word = first === 0x74 ? TRUE : first === 0x66 ? FALSE : first === 0x6e ? NULL : undefined;
    if (word === undefined) return this.broken(start, 'a value was expected');
    for (let i = 1; i < word.length; i++) {
      if (start + i >= end) return NEED_MORE;
      if (bytes[start + i] !== word[i]) return this.broken(start + i, 'a value was expected');
    }
    return start + word.length;
  }

  /** An object or array, without recursion: any depth of it is walked over. */
  protected skipNested(start: number, depth: number): number {
    const { bytes, end } = this;
    let at = start;
    let level = 0;
    let expect: number = Expect.value;
    for (;;) {
      at = this.skipSpace(at);
      if (at >= end) return NEED_MORE;
      const byte = bytes[at] as number;
      const closes = level > 0 && byte === this.closers[level - 1];
      if (closes && (expect === Expect.afterValue || expect === Expect.keyOrClose || expect === Expect.valueOrClose)) {
        at++;
        if (--level === 0) return at;
        expect = Expect.afterValue;
      } else if (expect === Expect.afterValue) {
        if (byte !== COMMA) return this.broken(at, 'a comma or the end was expected');
        expect = this.closers[level - 1] === CLOSE_OBJECT ? Expect.key : Expect.value;
        at++;
      } else if (expect === Expect.key || expect === Expect.keyOrClose) {
        at = this.skipKey(at);
        if (at < 0) return at;
        expect = Expect.value;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        this.open(level++, byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY);
        if (depth + level > MAX_DEPTH) this.flaw ||= `it is nested deeper than ${MAX_DEPTH} levels`;
        expect = byte === OPEN_OBJECT ? Expect.keyOrClose : Expect.valueOrClose;
        at++;
      } else {
        at = this.skipValue(at, 0);
        if (at < 0) return at;
        expect = Expect.afterValue;
      }
    }
  }

  private skipKey(start: number): number {
    if (this.bytes[start] !== QUOTE) return this.broken(start, 'a field name in double quotes was expected');
    let at = this.skipString(start + 1);
    if (at < 0) return at;
    at = this.skipSpace(at);
    if (at >= this.end) return NEED_MORE;
    return this.bytes[at] === COLON ? at + 1 : this.broken(at, 'a colon was expected');
  }

  /** At least one digit. */
  private skipDigits(start: number): number {
    const { bytes, end } = this;
    if (start >= end) return NEED_MORE;
    let at = start;
    while (at < end && isDigit(bytes[at])) at++;
    return at === start ? this.broken(at, 'a digit was expected') : at;
  }

  /** From behind the backslash. */
  private skipEscape(start: number): number {
    const { bytes, end } = this;
    if (start >= end) return NEED_MORE;
    const letter = bytes[start] as number;
    if (isShortEscape(letter)) return start + 1;
    if (letter !== 0x75) return this.broken(start, 'JSON has no such escape');
    for (let i = 1; i <= 4; i++) {
      if (start + i >= end) return NEED_MORE;
      if (!isHexDigit(bytes[start + i] as number)) return this.broken(start + i, 'four hexadecimal digits were expected');
    }
    return start + 5;
  }

  private open(level: number, closer: number): void {
    if (level >= this.closers.length) {
      const deeper = new Uint8Array(2 * this.closers.length);
      deeper.set(this.closers);
      this.closers = deeper;
    }
    this.closers[level] = closer;
  }
}

/**
 * First byte of `[start, end)` at which a string cannot simply go on (its quote, a backslash, a control character), or `end`.
 */
export function findStringStop(view: DataView, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = view.getInt32(at, true);
    const quotes = word ^ 0x22222222;
    const backslashes = word ^ 0x5c5c5c5c;
    const flags = (((quotes - 0x01010101) & ~quotes) | ((backslashes - 0x01010101) & ~backslashes) | ((word - 0x20202020) & ~word)) & 0x80808080;
    if (flags !== 0) return at + lowestFlag(flags);
  }
  while (at < end && STRING_STOPS[bytes[at] as number] === 0) at++;
  return at;
}
