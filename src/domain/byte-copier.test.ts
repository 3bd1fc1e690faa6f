import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteCopier } from './byte-copier.ts';

describe('ByteCopier', () => {
  it('copies what a plain loop copies and nothing else, out of however many buffers', () => {
    // Views into larger memory at odd places, as decoders hand them over.
    const sources = [3, 1, 0, 8].map((offset) => new Uint8Array(Uint8Array.from({ length: 400 }, (_, i) => (i * 31 + offset * 7) & 0xff).buffer, offset, 380));
    // A buffer comes many times over before another does: that is when the copier changes its way.
    const run = fc.record({
      source: fc.nat({ max: 3 }),
      copies: fc.array(fc.record({ start: fc.nat({ max: 150 }), length: fc.nat({ max: 120 }), at: fc.nat({ max: 200 }) }), { maxLength: 40 }),
    });
    const copier = new ByteCopier();
    fc.assert(
      fc.property(fc.array(run, { maxLength: 8 }), (runs) => {
        const target = new Uint8Array(400).fill(0xee);
        const view = new DataView(target.buffer);
        const expected = target.slice();
        for (const { source, copies } of runs) {
          const from = sources[source] as Uint8Array;
          for (const { start, length, at } of copies) {
            copier.copy(from, start, start + length, target, view, at);
            expected.set(from.subarray(start, start + length), at);
          }
          expect(target).toEqual(expected);
        }
      }),
      { numRuns: 300 },
    );
  });
});
