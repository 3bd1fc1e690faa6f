import { describe, expect, it } from 'vitest';
import { RandomStream } from './random-stream.ts';

const many = (draw: () => number, count = 40_000) => Array.from({ length: count }, draw);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('RandomStream', () => {
  it('is decided by seed and purpose', () => {
    const draws = (seed: string, purpose: string) => {
      const stream = new RandomStream(seed, purpose);
      return many(() => stream.bits(), 20);
    };
    expect(draws('a', 'b')).toEqual(draws('a', 'b'));
    const others = [draws('a', 'b'), draws('a', 'c'), draws('b', 'b'), draws('ab', ''), draws('', 'ab'), draws('ä', 'b')];
    expect(new Set(others.flat()).size).toBe(120);
    // The generator is part of what "same seed, same bytes" rests on.
    expect(draws('advertisex', 'test').slice(0, 3)).toMatchInlineSnapshot(`
      [
        2105081900,
        1201584989,
        379633716,
      ]
    `);
  });

  it('draws what the names say', () => {
    const random = new RandomStream('shapes', 'test');
    expect(mean(many(() => random.fraction()))).toBeCloseTo(0.5, 2);
    expect(mean(many(() => random.exponential()))).toBeCloseTo(1, 1);
    expect(mean(many(() => random.spread(0.7)))).toBeCloseTo(1, 1);
    expect(mean(many(() => (random.chance(0.2) ? 1 : 0)))).toBeCloseTo(0.2, 2);
    const normals = many(() => random.normal());
    expect(mean(normals)).toBeCloseTo(0, 1);
    expect(mean(normals.map((value) => value ** 2))).toBeCloseTo(1, 1);
    const medians = many(() => random.logNormal(5, 1)).sort((a, b) => a - b);
    expect(medians[20_000]).toBeCloseTo(5, 0);
    const orders = many(() => random.logUniform(1, 10_000));
    expect(orders.filter((value) => value < 100).length / orders.length).toBeCloseTo(0.5, 1);
    expect(orders.every((value) => value >= 1 && value < 10_000)).toBe(true);
    const dice = new Set(many(() => random.below(6), 1000));
    expect([...dice].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(random.chance(0)).toBe(false);
    expect(random.chance(1)).toBe(true);
  });
});
