import type { Scratch } from '../scratch.ts';
import { BACKSLASH } from './bytes.ts';

/** What the letter after a backslash stands for; 0: not a one-letter escape. */
const SHORT_ESCAPES = new Uint8Array(128);
for (const [letter, meaning] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t']) {
  SHORT_ESCAPES[(letter as string).charCodeAt(0)] = (meaning as string).charCodeAt(0);
}

export function isShortEscape(letter: number): boolean {
  return letter < 128 && SHORT_ESCAPES[letter] !== 0;
}

export function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

/**
 * Writes a string's text, whose escapes are known to be well formed, to the scratch buffer (UTF-8 is never longer than
 * its escapes). False where `\u` escapes name half of a surrogate pair: that is no character and has no UTF-8.
 */
export function writeUnescaped(source: Uint8Array, start: number, end: number, scratch: Scratch): boolean {
  scratch.reserve(end - start);
  const target = scratch.bytes;
  let to = scratch.used;
  let whole = true;
  for (let from = start; from < end; ) {
    const byte = source[from++] as number;
    if (byte !== BACKSLASH) {
      target[to++] = byte;
      continue;
    }
    const letter = source[from++] as number;
    if (letter !== 0x75) {
      target[to++] = SHORT_ESCAPES[letter] as number;
      continue;
    }
    let point = readHex4(source, from);
    from += 4;
    if (point >= 0xd800 && point <= 0xdfff) {
      const low = point < 0xdc00 && from + 6 <= end && source[from] === BACKSLASH && source[from + 1] === 0x75 ? readHex4(source, from + 2) : 0;
      if (low >= 0xdc00 && low <= 0xdfff) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        from += 6;
      } else {
        whole = false;
        point = 0xfffd;
      }
    }
    to = writeUtf8(target, to, point);
  }
  scratch.used = to;
  return whole;
}

function readHex4(source: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const byte = source[i] as number;
    value = (value << 4) | (byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57);
  }
  return value;
}

function writeUtf8(target: Uint8Array, at: number, point: number): number {
  let to = at;
  if (point < 0x80) {
    target[to++] = point;
  } else if (point < 0x800) {
    target[to++] = 0xc0 | (point >> 6);
    target[to++] = 0x80 | (point & 0x3f);
  } else if (point < 0x10000) {
    target[to++] = 0xe0 | (point >> 12);
    target[to++] = 0x80 | ((point >> 6) & 0x3f);
    target[to++] = 0x80 | (point & 0x3f);
  } else {
    target[to++] = 0xf0 | (point >> 18);
    target[to++] = 0x80 | ((point >> 12) & 0x3f);
    target[to++] = 0x80 | ((point >> 6) & 0x3f);
    target[to++] = 0x80 | (point & 0x3f);
  }
  return to;
}
