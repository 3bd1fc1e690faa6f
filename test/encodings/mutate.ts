/** Randomness with a seed (mulberry32): the same seed finds the same bug again. */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 to bound − 1. */
  below(bound: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  oneOf<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** Bytes that mean something somewhere. */
const INTERESTING = [0x00, 0x01, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x2d, 0x30, 0x3a, 0x5b, 0x5c, 0x5d, 0x75, 0x7b, 0x7d, 0x7f, 0x80, 0xc3, 0xed, 0xf4, 0xff];

/** The bytes with a few faults: flipped bits, bytes put in, taken out, doubled, exchanged, or cut off. */
export function mutate(bytes: Uint8Array, dice: Dice): Uint8Array {
  let mutated: Uint8Array = bytes.slice();
  for (let left = 1 + dice.below(4); left > 0; left--) {
    const at = dice.below(mutated.length + 1);
    const size = 1 + dice.below(dice.oneOf([1, 4, 40]));
    const rest = mutated.subarray(at);
    const start = mutated.subarray(0, at);
    switch (dice.below(6)) {
      case 0:
        if (at < mutated.length) mutated[at] = (mutated[at] as number) ^ (1 << dice.below(8));
        break;
      case 1:
        mutated = joined(
          start,
          Uint8Array.from({ length: size }, () => dice.oneOf(INTERESTING)),
          rest,
        );
        break;
      case 2:
        mutated = joined(start, rest.subarray(size));
        break;
      case 3:
        mutated = joined(start, rest.subarray(0, size), rest);
        break;
      case 4:
        if (at < mutated.length) mutated[at] = dice.oneOf(INTERESTING);
        break;
      default:
        if (dice.below(4) === 0) mutated = start.slice();
    }
  }
  return mutated;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
