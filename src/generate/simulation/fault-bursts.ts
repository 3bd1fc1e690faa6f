import type { RandomStream } from '../random-stream.ts';

/**
 * How many broken records follow each good one. Most stretches have none; now and then a burst begins (a release with a bug,
 * a proxy that cuts lines) and lasts for some records.
 */
export class FaultBursts {
  /** The record that `next` announced is the first of its burst. */
  begins = false;
  private readonly random: RandomStream;
  private readonly length: number;
  private readonly density: number;
  /** Good records between two bursts, on average; none at all where it is infinite. */
  private readonly gap: number;
  private goodLeft: number;
  private brokenLeft = 0;

  /**
   * `share` of all records shall be broken, in bursts of `meanLength`; in a small feed the bursts are shorter, so that there
   * are about twenty all the same.
   */
  constructor(share: number, meanLength: number, expectedRecords: number, random: RandomStream) {
    this.random = random;
    const perGood = share / (1 - share);
    this.length = Math.max(1, Math.min(meanLength, (expectedRecords * share) / 20));
    // Inside a burst seven of ten good records are followed by a broken one, or more where the share could not be reached so.
    this.density = perGood < 0.3 ? 0.7 : 2 * perGood;
    this.gap = share === 0 ? Number.POSITIVE_INFINITY : this.length * (1 / perGood - 1 / this.density);
    this.goodLeft = share === 0 ? Number.POSITIVE_INFINITY : this.gap * random.fraction();
  }

  /** To be called after each good record. */
  next(): number {
    this.begins = false;
    if (this.brokenLeft <= 0) {
      if (--this.goodLeft > 0) return 0;
      // Even gaps rather than independent ones: a small feed gets its share too.
      this.goodLeft += this.gap * (0.5 + this.random.fraction());
      this.brokenLeft = Math.max(1, Math.round(this.length * (0.4 + 1.2 * this.random.fraction())));
      this.begins = true;
    }
    const whole = Math.floor(this.density);
    let count = whole + (this.random.chance(this.density - whole) ? 1 : 0);
    if (this.begins && count === 0) count = 1;
    count = Math.min(count, this.brokenLeft);
    this.brokenLeft -= count;
    return count;
  }
}
