/*
 * Four bytes at a time: of x = word ^ (byte in all four places), `(x - 0x01…) & ~x & 0x80…` flags the bytes that are zero.
 * The lowest flag is exact, and it is the one that is used.
 */

/** The byte in all four places of a word. */
export function spread(byte: number): number {
  return Math.imul(byte, 0x01010101);
}

/** Place (0–3) of the lowest flag. */
export function lowestFlag(flags: number): number {
  return (31 - Math.clz32(flags & -flags)) >> 3;
}
