import { ControlCharacterScanner } from './characters.ts';
import { digitOf } from './digits.ts';

/** The longest host name DNS has, in bytes. */
export const MAX_HOST_BYTES = 253;

const SLASH = 0x2f;
const COLON = 0x3a;
const AT = 0x40;
const SPACE = 0x20;

/**
 * Cuts a website down to its host name: lower case, without scheme, credentials, port, path, query, fragment, one leading `www.` and a
 * trailing dot. An internationalised name is kept as it was given, in lower case: punycode and Unicode forms stay apart.
 *
 * One instance holds one answer: `buffer[start, end)` until the next call. Where nothing must be changed it is a view of what was given.
 */
export class HostReader {
  buffer: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  readonly #controls = new ControlCharacterScanner();
  #scratch = new Uint8Array(MAX_HOST_BYTES + 4);

  /** False where no host name of 1-253 bytes without spaces and control characters is left. */
  read(bytes: Uint8Array, from: number, to: number): boolean {
    if (isPlain(bytes, from, to)) {
      this.buffer = bytes;
      this.start = from;
      this.end = to;
      this.#cutEnds();
      return this.end > this.start && this.end - this.start <= MAX_HOST_BYTES;
    }
    let start = skipScheme(bytes, from, to);
    let end = start;
    let hasCapitals = false;
    let isAscii = true;
    for (; end < to; end++) {
      const byte = bytes[end] as number;
      if (byte === SLASH || byte === 0x3f || byte === 0x23) break;
      // What stood before the last @ was credentials.
      if (byte === AT) start = end + 1;
      else if (byte >= 0x41 && byte <= 0x5a) hasCapitals = true;
      else if (byte >= 0x80) isAscii = false;
    }
    end = cutPort(bytes, start, end);
    this.buffer = bytes;
    this.start = start;
    this.end = end;
    if (!isAscii) this.#lowerUnicode();
    else if (hasCapitals) this.#lowerAscii();
    this.#cutEnds();
    const length = this.end - this.start;
    return length >= 1 && length <= MAX_HOST_BYTES && this.#isClean();
  }

  #isClean(): boolean {
    for (let position = this.start; position < this.end; position++) {
      if (this.buffer[position] === SPACE) return false;
    }
    return !this.#controls.finds(this.buffer, this.start, this.end);
  }

  #lowerAscii(): void {
    const length = this.end - this.start;
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(length);
    const scratch = this.#scratch;
    for (let index = 0; index < length; index++) {
      const byte = this.buffer[this.start + index] as number;
      scratch[index] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    }
    this.buffer = scratch;
    this.start = 0;
    this.end = length;
  }

  #lowerUnicode(): void {
    const text = Buffer.from(this.buffer.buffer, this.buffer.byteOffset + this.start, this.end - this.start).toString('utf8');
    // Unicode has more blanks than the space: each becomes one, which is refused.
    this.buffer = Buffer.from(text.toLowerCase().replace(/\s/g, ' '), 'utf8');
    this.start = 0;
    this.end = this.buffer.length;
  }

  #cutEnds(): void {
    const { buffer, start } = this;
    if (this.end > start && buffer[this.end - 1] === 0x2e) this.end--;
    if (this.end - start >= 4 && buffer[start] === 0x77 && buffer[start + 1] === 0x77 && buffer[start + 2] === 0x77 && buffer[start + 3] === 0x2e) {
      this.start += 4;
    }
  }
}

/** 1 for the bytes that most host names are made of and that nothing is done about: small letters, digits, `-`, `.` and `_`. */
const PLAIN_BYTES = new Uint8Array(256);
for (const byte of Buffer.from('abcdefghijklmnopqrstuvwxyz0123456789-._')) PLAIN_BYTES[byte] = 1;

function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let position = start; position < end; position++) {
    if (PLAIN_BYTES[bytes[position] as number] === 0) return false;
  }
  return true;
}

/** Past `scheme://`, or past `//`. A later `://` (in a path or query) is no scheme. */
function skipScheme(bytes: Uint8Array, from: number, to: number): number {
  let position = from;
  if (position < to && isLetter(bytes[position] as number)) {
    position++;
    while (position < to && isSchemeByte(bytes[position] as number)) position++;
    if (position >= to || bytes[position] !== COLON) return from;
    position++;
  }
  return position + 1 < to && bytes[position] === SLASH && bytes[position + 1] === SLASH ? position + 2 : from;
}

/** Where `:digits` at the end begins; the colons of an IPv6 address in brackets are no port's. */
function cutPort(bytes: Uint8Array, start: number, end: number): number {
  let position = end;
  while (position > start && digitOf(bytes[position - 1] as number) <= 9) position--;
  return position > start && bytes[position - 1] === COLON ? position - 1 : end;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/** Letters, digits, `+`, `-`, `.` */
function isSchemeByte(byte: number): boolean {
  return isLetter(byte) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x2e;
}
