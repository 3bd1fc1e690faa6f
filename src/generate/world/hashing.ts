/** A fixed scrambling of 32-bit numbers: what the same index always gives, in no visible order. */
export function scramble(value: number, salt: number): number {
  let h = (value + Math.imul(salt, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

/** Lower-case digits and letters without i, l, o and u, which are misread. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const PAIRS: readonly string[] = Array.from({ length: 1024 }, (_, n) => (ALPHABET[n >>> 5] as string) + (ALPHABET[n & 31] as string));
const HALF = 0x1ffffff;

/**
 * Ten characters that look random: a number of up to 50 bits, in halves of 25, through a permutation (a Feistel network), so
 * that no two numbers give the same text under one salt. Short on purpose: with a prefix of two they stay below the thirteen
 * characters from which V8 builds texts as ropes.
 */
export function scrambledId(high: number, low: number, salt: number): string {
  let left = high;
  let right = low;
  for (let round = 0; round < 4; round++) {
    const next = left ^ (scramble(right, salt + round) & HALF);
    left = right;
    right = next;
  }
  return (
    (PAIRS[left >>> 15] as string) +
    (PAIRS[(left >>> 5) & 1023] as string) +
    (PAIRS[((left & 31) << 5) | (right >>> 20)] as string) +
    (PAIRS[(right >>> 10) & 1023] as string) +
    (PAIRS[right & 1023] as string)
  );
}

/** Ids that look random and never repeat: a counter, scrambled. */
export class IdSequence {
  private low = 0;
  private high = 0;
  private readonly prefix: string;
  private readonly salt: number;

  constructor(prefix: string, salt: number) {
    this.prefix = prefix;
    this.salt = salt;
  }

  next(): string {
    const id = this.prefix + scrambledId(this.high, this.low, this.salt);
    this.low = (this.low + 1) & HALF;
    if (this.low === 0) this.high++;
    return id;
  }
}
