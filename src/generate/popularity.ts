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
  private readonly threshold: Float64Array;
  private readonly alias: Int32Array;

  constructor(weights: ArrayLike<number>) {
    const count = weights.length;
    this.threshold = new Float64Array(count).fill(1);
    this.alias = new Int32Array(count);
    let total = 0;
    for (let i = 0; i < count; i++) total += weights[i] as number;
    const scaled = Float64Array.from({ length: count }, (_, i) => ((weights[i] as number) * count) / total);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < count; i++) ((scaled[i] as number) < 1 ? small : large).push(i);
    while (small.length > 0 && large.length > 0) {
      const low = small.pop() as number;
      const high = large[large.length - 1] as number;
      this.threshold[low] = scaled[low] as number;
      this.alias[low] = high;
      scaled[high] = (scaled[high] as number) + (scaled[low] as number) - 1;
      if ((scaled[high] as number) < 1) small.push(large.pop() as number);
    }
  }

  pick(random: RandomStream): number {
    const column = random.below(this.threshold.length);
    return random.fraction() < (this.threshold[column] as number) ? column : (this.alias[column] as number);
  }
}
