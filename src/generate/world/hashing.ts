/** A fixed scrambling of 32-bit numbers: what the same index always gives, in no visible order. */
export function scramble(value: number, salt: number): number {
  let h = (value + Math.imul(salt, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

const HEX16: readonly string[] = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, '0'));

/** Eight lower-case hex digits of an unsigned 32-bit number. */
export function hex32(value: number): string {
  return (HEX16[value >>> 16] as string) + (HEX16[value & 0xffff] as string);
}

/**
 * Ids that look random and never repeat: a counter through a permutation of 64-bit numbers (a Feistel network of four
 * rounds), as 16 hex digits.
 */
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
    const id = this.prefix + permuted(this.high, this.low, this.salt);
    this.low = (this.low + 1) >>> 0;
    if (this.low === 0) this.high++;
    return id;
  }
}

export function permuted(high: number, low: number, salt: number): string {
  let left = high;
  let right = low;
  for (let round = 0; round < 4; round++) {
    const next = (left ^ scramble(right, salt + round)) >>> 0;
    left = right;
    right = next;
  }
  return hex32(left) + hex32(right);
}
