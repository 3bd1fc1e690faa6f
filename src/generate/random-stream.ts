import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { JumpableRandomGenerator } from 'pure-rand/types/JumpableRandomGenerator';
import { KeyHasher } from '../domain/murmur3.ts';

const TWO_TO_MINUS_32 = 2 ** -32;

/**
 * Random numbers for one purpose. Every concern (which user, which delay, which fault) draws from a stream of its own, seeded
 * by the seed and the purpose, so that changing one rate leaves what the others decide as it was.
 */
export class RandomStream {
  private readonly generator: JumpableRandomGenerator;

  constructor(seed: string, purpose: string) {
    const hasher = new KeyHasher();
    const seedBytes = Buffer.from(seed);
    hasher.begin();
    hasher.text(seedBytes, 0, seedBytes.length);
    hasher.ascii(purpose);
    hasher.finish();
    this.generator = xoroshiro128plusFromState([...hasher.words].map((word) => word | 0));
  }

  /** 0 ≤ x < 1, in steps of 2⁻³². */
  fraction(): number {
    return (this.generator.next() >>> 0) * TWO_TO_MINUS_32;
  }

  /** A whole number, 0 ≤ x < bound. For bounds far below 2³². */
  below(bound: number): number {
    return Math.floor((this.generator.next() >>> 0) * TWO_TO_MINUS_32 * bound);
  }

  chance(probability: number): boolean {
    return (this.generator.next() >>> 0) * TWO_TO_MINUS_32 < probability;
  }

  bits(): number {
    return this.generator.next() >>> 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  /** Mean 1. */
  exponential(): number {
    return -Math.log(1 - this.fraction());
  }

  /** Mean 0, variance 1 (Box and Muller). */
  normal(): number {
    return Math.sqrt(2 * this.exponential()) * Math.cos(2 * Math.PI * this.fraction());
  }

  /** Log-normal with this median. */
  logNormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal());
  }

  /** Log-normal with mean 1, to vary something without moving its mean. */
  spread(sigma: number): number {
    return Math.exp(sigma * this.normal() - (sigma * sigma) / 2);
  }

  /** Between two positive bounds, every order of magnitude as likely as another. */
  logUniform(from: number, to: number): number {
    return from * Math.exp(Math.log(to / from) * this.fraction());
  }
}
