import fc from 'fast-check';
import snappy from 'snappyjs';
import { describe, expect, it } from 'vitest';
import { decompressSnappy, readSnappyLength } from './snappy.ts';

function decompress(data: Uint8Array): { readonly bytes: Uint8Array; readonly whole: boolean } | undefined {
  const preamble = readSnappyLength(data);
  if (preamble === undefined || preamble.length > 1e6) return undefined;
  const target = new Uint8Array(preamble.length);
  const made = decompressSnappy(data, preamble.start, target);
  return { bytes: target.subarray(0, made < 0 ? ~made : made), whole: made === target.length };
}

// Texts that repeat themselves near and far, in short and long runs: every kind of element comes up.
const texts = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom('a', 'ab', 'user-', 'x'.repeat(300)).map((text) => new Uint8Array(Buffer.from(text))),
    ),
    { maxLength: 60 },
  )
  .map((parts) => new Uint8Array(Buffer.concat([...parts, ...parts])));

describe('snappy', () => {
  it('gives back what another implementation compressed', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(decompress(snappy.compress(text))).toEqual({ bytes: text, whole: true });
      }),
    );
    const long = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i) & 0xff));
    expect(Buffer.from(decompress(snappy.compress(long))?.bytes ?? []).equals(long)).toBe(true);
  });

  it('reads elements that no small encoder writes', () => {
    // A literal whose length takes four bytes, a copy whose distance takes four.
    const data = Buffer.from([9, 63 << 2, 2, 0, 0, 0, 0x61, 0x62, 0x63, (5 << 2) | 3, 3, 0, 0, 0]);
    expect(Buffer.from(decompress(data)?.bytes ?? []).toString()).toBe('abcabcabc');
  });

  it('gives what lies before a cut', () => {
    fc.assert(
      fc.property(texts, fc.nat(), (text, place) => {
        const data = snappy.compress(text);
        const cut = decompress(data.slice(0, place % (data.length + 1)));
        if (cut !== undefined) expect(Buffer.from(text).subarray(0, cut.bytes.length).equals(Buffer.from(cut.bytes))).toBe(true);
      }),
    );
  });

  it('is neither thrown off nor held up by anything', () => {
    expect(decompress(Buffer.from([5, 0xfc, 0xff, 0xff, 0xff, 0xff]))?.whole).toBe(false);
    expect(decompress(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x01]))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (data) => void decompress(data)));
  });
});
