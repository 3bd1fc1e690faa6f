import type { RandomStream } from './random-stream.ts';

/**
 * Zipf's law: the item of rank r is drawn in proportion to r^−exponent. A cap (as a multiple of the mean) flattens the top,
 * for people: no person sees a hundredth of all advertisements, however long the tail.
 */
export function zipfWeights(count: number, exponent: number, capTimesMean = Number.POSITIVE_INFINITY): Float64Array {
  const weights = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[i] = (i + 1) ** -exponent;
  const cap = (capTimesMean * total) / count;
  if (cap < (weights[0] as number)) for (let i = 0; i < count; i++) weights[i] = Math.min(weights[i] as number, cap);
  return weights;
}

/** Draws an index in proportion to its weight, in constant time (Vose's alias method). */
export class WeightedChoice {
  /** For each column how much of it is its own, of 2³², then whose the rest is: side by side, so that a draw touches memory once. */
  private readonly columns: Uint32Array;

  constructor(weights: ArrayLike<number>) {
    const count = weights.length;
    this.columns = new Uint32Array(count * 2);
    for (let i = 0; i < count; i++) this.set(i, 1, i);
    let total = 0;
    for (let i = 0; i < count; i++) total += weights[i] as number;
    const scaled = Float64Array.from({ length: count }, (_, i) => ((weights[i] as number) * count) / total);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < count; i++) ((scaled[i] as number) < 1 ? small : large).push(i);
    while (small.length > 0 && large.length > 0) {
      const low = small.pop() as number;
      const high = large[large.length - 1] as number;
      this.set(low, scaled[low] as number, high);
      scaled[high] = (scaled[high] as number) + (scaled[low] as number) - 1;
      if ((scaled[high] as number) < 1) small.push(large.pop() as number);
    }
  }

  pick(random: RandomStream): number {
    const column = random.below(this.columns.length >>> 1);
    return random.bits() < (this.columns[column * 2] as number) ? column : (this.columns[column * 2 + 1] as number);
  }

  private set(column: number, own: number, alias: number): void {
    this.columns[column * 2] = Math.min(0xffffffff, Math.round(own * 2 ** 32));
    this.columns[column * 2 + 1] = alias;
  }
}
