import { describe, expect, it } from 'vitest';
import { WeightedChoice, zipfWeights } from './popularity.ts';
import { RandomStream } from './random-stream.ts';

describe('zipfWeights', () => {
  it('fall with the rank by the exponent', () => {
    const weights = zipfWeights(1000, 0.8);
    expect(weights[0]).toBe(1);
    expect(weights[99]).toBeCloseTo(100 ** -0.8, 12);
    expect([...zipfWeights(3, 0)]).toEqual([1, 1, 1]);
  });

  it('are cut at a multiple of the mean', () => {
    const free = zipfWeights(1000, 1);
    const mean = free.reduce((sum, weight) => sum + weight, 0) / 1000;
    const capped = zipfWeights(1000, 1, 10);
    expect(Math.max(...capped)).toBeCloseTo(10 * mean, 12);
    expect(capped[999]).toBe(free[999]);
  });
});

describe('WeightedChoice', () => {
  it.each([[[1]], [[1, 1]], [[5, 1, 3]], [[0, 1, 0, 2]], [[1e-9, 1, 1e9]], [[...zipfWeights(50, 1.2)]]])('draws in proportion to %j', (weights) => {
    const choice = new WeightedChoice(weights);
    const random = new RandomStream('choice', 'test');
    const draws = 60_000;
    const counts = weights.map(() => 0);
    for (let i = 0; i < draws; i++) counts[choice.pick(random)]!++;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, weight] of weights.entries()) {
      const share = weight / total;
      expect(Math.abs((counts[index] as number) - draws * share), `item ${index}`).toBeLessThanOrEqual(5 * Math.sqrt(draws * share) + 1e-6);
    }
  });
});
