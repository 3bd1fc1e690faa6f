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
  private readonly startChance: number;
  private readonly density: number;
  private left = 0;

  /**
   * `share` of all records shall be broken, in bursts of `meanLength`; in a small feed the bursts are shorter, so that there
   * are some at all.
   */
  constructor(share: number, meanLength: number, expectedRecords: number, random: RandomStream) {
    this.random = random;
    const perGood = share / (1 - share);
    this.length = Math.max(1, Math.min(meanLength, (expectedRecords * share) / 6));
    // Inside a burst seven of ten good records are followed by a broken one, or more where the share could not be reached so.
    this.density = perGood < 0.3 ? 0.7 : 2 * perGood;
    this.startChance = share === 0 ? 0 : 1 / (this.length * (1 / perGood - 1 / this.density));
  }

  next(): number {
    this.begins = false;
    if (this.left <= 0) {
      if (!this.random.chance(this.startChance)) return 0;
      this.left = Math.max(1, Math.round(this.length * this.random.exponential()));
      this.begins = true;
    }
    const whole = Math.floor(this.density);
    const count = Math.min(this.left, whole + (this.begins && whole === 0 ? 1 : this.random.chance(this.density - whole) ? 1 : 0));
    this.left -= count;
    return count;
  }
}
