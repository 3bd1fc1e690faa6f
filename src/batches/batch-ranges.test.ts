import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BatchRange, cutRange, mergeRanges, withoutRanges } from './batch-ranges.ts';

const range: fc.Arbitrary<BatchRange> = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(8)).map(([first, more]) => ({ first, last: first + more }));
const batchesOf = (ranges: readonly BatchRange[]) => ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
const distinct = (batches: readonly number[]) => [...new Set(batches)].sort((a, b) => a - b);

describe('ranges of batches', () => {
  it('merge into the same batches, apart from each other and in order', () => {
    fc.assert(
      fc.property(fc.array(range), (ranges) => {
        const merged = mergeRanges(ranges);
        expect(batchesOf(merged)).toEqual(distinct(batchesOf(ranges)));
        for (const [index, each] of merged.entries()) if (index > 0) expect(each.first).toBeGreaterThan((merged[index - 1] as BatchRange).last + 1);
      }),
    );
  });

  it('are left without the batches of others', () => {
    fc.assert(
      fc.property(range, fc.array(range), (whole, others) => {
        const taken = new Set(batchesOf(others));
        expect(batchesOf(withoutRanges(whole, others))).toEqual(batchesOf([whole]).filter((batch) => !taken.has(batch)));
      }),
    );
  });

  it('are cut into parts of so many at most', () => {
    expect(cutRange({ first: 3, last: 9 }, 3)).toEqual([
      { first: 3, last: 5 },
      { first: 6, last: 8 },
      { first: 9, last: 9 },
    ]);
  });
});
