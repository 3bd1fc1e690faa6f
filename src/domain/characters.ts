/**
 * Looking at UTF-8 without decoding it. Bytes are taken to be valid UTF-8 (decoders see to that); on others these functions give some
 * answer, but never fail.
 */

/** Whether bytes hold a control character: C0 (U+0000-1F), DEL, or C1 (U+0080-9F, in UTF-8 `C2 80`-`C2 9F`). */
export function hasControlCharacter(bytes: Uint8Array, start: number, end: number): boolean {
  for (let position = start; position < end; position++) {
    // One unsigned compare lets printable ASCII pass, which is nearly everything.
    if (((bytes[position] as number) - 0x20) >>> 0 >= 0x5f && isControlAt(bytes, position, end)) return true;
  }
  return false;
}

function isControlAt(bytes: Uint8Array, position: number, end: number): boolean {
  const byte = bytes[position] as number;
  return byte < 0x20 || byte === 0x7f || (byte === 0xc2 && position + 1 < end && (bytes[position + 1] as number) < 0xa0);
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
