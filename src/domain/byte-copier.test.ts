import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteCopier } from './byte-copier.ts';

describe('ByteCopier', () => {
  it('copies what a plain loop copies and nothing else, out of however many buffers', () => {
    // Views into larger memory at odd places, as decoders hand them over.
    const sources = [3, 1, 0, 8].map((offset) => new Uint8Array(Uint8Array.from({ length: 400 }, (_, i) => (i * 31 + offset * 7) & 0xff).buffer, offset, 380));
    const copier = new ByteCopier();
    fc.assert(
      fc.property(
        fc.array(fc.record({ source: fc.nat({ max: 3 }), start: fc.nat({ max: 150 }), length: fc.nat({ max: 220 }), at: fc.nat({ max: 100 }) }), {
          minLength: 1,
          maxLength: 20,
        }),
        (copies) => {
          const target = new Uint8Array(400).fill(0xee);
          const view = new DataView(target.buffer);
          const expected = target.slice();
          for (const { source, start, length, at } of copies) {
            const from = sources[source] as Uint8Array;
            copier.copy(from, start, start + length, target, view, at);
            for (let i = 0; i < length; i++) expected[at + i] = from[start + i] as number;
          }
          expect(target).toEqual(expected);
        },
      ),
    );
  });
});
