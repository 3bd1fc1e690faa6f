import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random-stream.ts';
import { FaultBursts } from './fault-bursts.ts';

function run(share: number, length: number, good: number): { broken: number; bursts: number; inBurst: number } {
  const bursts = new FaultBursts(share, length, good, new RandomStream('bursts', `${share} ${length}`));
  const found = { broken: 0, bursts: 0, inBurst: 0 };
  for (let i = 0; i < good; i++) {
    const count = bursts.next();
    found.broken += count;
    if (bursts.begins) found.bursts++;
    else if (count > 0) found.inBurst++;
  }
  return found;
}

describe('FaultBursts', () => {
  it.each([0.001, 0.005, 0.05, 0.3, 0.6, 0.9])('breaks a share of %d of all records', (share) => {
    const { broken } = run(share, 20, 200_000);
    expect(broken / (200_000 + broken) / share).toBeGreaterThan(0.9);
    expect(broken / (200_000 + broken) / share).toBeLessThan(1.1);
  });

  it('breaks them in bursts of the length that was set', () => {
    const { broken, bursts, inBurst } = run(0.01, 50, 400_000);
    expect(broken / bursts).toBeGreaterThan(45);
    expect(broken / bursts).toBeLessThan(55);
    expect(inBurst).toBeGreaterThan(0.9 * (broken - bursts));
  });

  it('breaks something in a small feed too, in more than one burst', () => {
    const { broken, bursts } = run(0.01, 20, 3000);
    expect(broken).toBeGreaterThan(20);
    expect(bursts).toBeGreaterThan(10);
  });

  it('breaks nothing at a share of nothing', () => {
    expect(run(0, 20, 10_000).broken).toBe(0);
  });
});
