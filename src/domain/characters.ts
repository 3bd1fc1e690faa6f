/**
 * Looking at UTF-8 without decoding it. Bytes are taken to be valid UTF-8 (decoders see to that); on others these functions give some
 * answer, but never fail.
 */

const NO_BYTES = new Uint8Array(0);

/** Scans of one buffer after which a view of it is worth making. */
const SCANS_BEFORE_VIEW = 8;

/**
 * Finds control characters: C0 (U+0000-1F), DEL, and C1 (U+0080-9F, in UTF-8 `C2 80`-`C2 9F`).
 *
 * Ids are most of what is scanned, and nearly all of them are printable ASCII: that is tested four bytes at a time, which takes an eighth
 * of the time of going byte by byte. It needs a view of the buffer; two are kept, because a decoder hands out the buffer it was given and
 * the one it unescapes into, by turns. Buffers that come and go are scanned byte by byte.
 */
export class ControlCharacterScanner {
  #bytes: Uint8Array = NO_BYTES;
  #view: DataView = new DataView(NO_BYTES.buffer);
  #otherBytes: Uint8Array = NO_BYTES;
  #otherView: DataView = this.#view;
  #newBytes: Uint8Array = NO_BYTES;
  #newScans = 0;

  finds(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < 4 || (bytes !== this.#bytes && !this.#turnTo(bytes))) return findControlCharacter(bytes, start, end);
    const view = this.#view;
    const lastWord = end - 4;
    // Each byte below 0x20, of 0x7f, or from 0x80 on sets a high bit here. A carry can set another one only beside one that is right.
    let flags = 0;
    for (let position = start; position < lastWord; position += 4) {
      const word = view.getInt32(position, true);
      flags |= word | (word + 0x01010101) | (word - 0x20202020);
    }
    const word = view.getInt32(lastWord, true);
    flags |= word | (word + 0x01010101) | (word - 0x20202020);
    return (flags & 0x80808080) !== 0 && findControlCharacter(bytes, start, end);
  }

  /** Whether there is a view of these bytes now. */
  #turnTo(bytes: Uint8Array): boolean {
    let view = this.#otherView;
    if (bytes !== this.#otherBytes) {
      if (bytes !== this.#newBytes) {
        this.#newBytes = bytes;
        this.#newScans = 0;
      }
      if (this.#newScans++ < SCANS_BEFORE_VIEW) return false;
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#otherBytes = this.#bytes;
    this.#otherView = this.#view;
    this.#bytes = bytes;
    this.#view = view;
    return true;
  }
}

function findControlCharacter(bytes: Uint8Array, start: number, end: number): boolean {
  for (let position = start; position < end; position++) {
    const byte = bytes[position] as number;
    if (byte < 0x20 || byte === 0x7f) return true;
    if (byte === 0xc2 && position + 1 < end && (bytes[position + 1] as number) < 0xa0) return true;
  }
  return false;
}

/** The number of Unicode characters (code points). */
export function countCharacters(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let position = start; position < end; position++) {
    // Every byte but 10xxxxxx begins a character.
    if (((bytes[position] as number) & 0xc0) !== 0x80) count++;
  }
  return count;
}

/** Whether there are at most `limit` Unicode characters. Counts only where the bytes alone do not say. */
export function hasAtMostCharacters(bytes: Uint8Array, start: number, end: number, limit: number): boolean {
  return end - start <= limit || countCharacters(bytes, start, end) <= limit;
}

/** Whether there are at least `limit` Unicode characters. */
export function hasAtLeastCharacters(bytes: Uint8Array, start: number, end: number, limit: number): boolean {
  const length = end - start;
  if (length < limit) return false;
  // A character has at most four bytes.
  return length >= limit * 4 || countCharacters(bytes, start, end) >= limit;
}
