import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyHasher } from './murmur3.ts';

const utf8 = new TextEncoder();
const { vectors } = JSON.parse(readFileSync(new URL('murmur3.vectors.json', import.meta.url), 'utf8')) as { vectors: { parts: string[]; key: string }[] };

function keyOf(hasher: KeyHasher, parts: readonly string[]): string {
  hasher.begin();
  for (const part of parts) {
    const bytes = utf8.encode(part);
    hasher.text(bytes, 0, bytes.length);
  }
  hasher.finish();
  return hasher.hex();
}

describe('KeyHasher', () => {
  it('gives the published results', () => {
    expect(vectors.length).toBeGreaterThan(60);
    const hasher = new KeyHasher();
    for (const { parts, key } of vectors) expect([parts, keyOf(hasher, parts)]).toEqual([parts, key]);
  });

  it('starts anew with every record, whatever the one before left in its scratch space', () => {
    const used = new KeyHasher();
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 8 }), (parts) => {
        expect(keyOf(used, parts)).toBe(keyOf(new KeyHasher(), parts));
      }),
    );
  });

  it('takes a number as its decimal digits', () => {
    const hasher = new KeyHasher();
    const check = (value: number): void => {
      hasher.begin();
      hasher.number(value);
      hasher.finish();
      expect([value, hasher.hex()]).toEqual([value, keyOf(new KeyHasher(), [String(value)])]);
    };
    for (const value of [0, 9, 10, 99_999_999, 100_000_000, 100_000_001, 1_700_000_000_123_456]) check(value);
    for (const value of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -1, -100_000_000]) check(value);
    for (let digits = 0; digits <= 15; digits++) for (const near of [-1, 0, 1]) check(10 ** digits + near);
    fc.assert(fc.property(fc.maxSafeInteger(), check));
  });

  it('takes 7-bit text as its bytes, and part of a buffer', () => {
    const hasher = new KeyHasher();
    const bytes = utf8.encode('..user-17..');
    hasher.begin();
    hasher.ascii('click');
    hasher.text(bytes, 2, 9);
    hasher.finish();
    expect(hasher.hex()).toBe(keyOf(new KeyHasher(), ['click', 'user-17']));
  });

  it('tells null from empty and from every text', () => {
    const hasher = new KeyHasher();
    hasher.begin();
    hasher.absent();
    hasher.finish();
    const ofNull = hasher.hex();
    for (const text of ['', 'null', '\0', '\u00ff']) expect(keyOf(new KeyHasher(), [text])).not.toBe(ofNull);
  });

  it('grows for parts larger than its scratch space', () => {
    for (const length of [1007, 1008, 1022, 1023, 1024, 1025, 100_000]) {
      const part = 'x'.repeat(length);
      const bytes = utf8.encode(part);
      const ascii = new KeyHasher();
      ascii.begin();
      ascii.ascii(part);
      ascii.number(17);
      ascii.absent();
      ascii.finish();
      const roomy = new KeyHasher();
      keyOf(roomy, ['y'.repeat(200_000)]);
      roomy.begin();
      roomy.text(bytes, 0, length);
      roomy.number(17);
      roomy.absent();
      roomy.finish();
      expect(ascii.hex()).toBe(roomy.hex());
    }
  });

  it('gives the words of its text form', () => {
    const hasher = new KeyHasher();
    keyOf(hasher, ['a']);
    expect([hasher.h1, hasher.h2, hasher.h3, hasher.h4]).toEqual(
      hasher
        .hex()
        .match(/.{8}/g)
        ?.map((word) => Number.parseInt(word, 16)),
    );
  });
});
