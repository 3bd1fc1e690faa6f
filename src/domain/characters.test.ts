import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ControlCharacterScanner, countCharacters, hasAtLeastCharacters, hasAtMostCharacters } from './characters.ts';

describe('ControlCharacterScanner', () => {
  test('knows each control character, wherever it stands, and nothing else', () => {
    const scanner = new ControlCharacterScanner();
    for (let code = 0; code < 0x300; code++) {
      const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
      for (let before = 0; before < 6; before++) {
        for (let after = 0; after < 6; after++) {
          const bytes = Buffer.from(`\n${'a'.repeat(before)}${String.fromCharCode(code)}${'~'.repeat(after)}\u007f`);
          // Twice as often as it takes to get a view of the buffer: byte by byte and by words must say the same.
          for (let scan = 0; scan < 16; scan++) {
            if (scanner.finds(bytes, 1, bytes.length - 1) !== isControl) expect.fail(`U+${code.toString(16)} after ${before}, before ${after}, scan ${scan}`);
          }
        }
      }
    }
  });

  test('agrees with a regular expression, over buffers that come and go', () => {
    const scanner = new ControlCharacterScanner();
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom('a', '~', ' ', 'ß', '\u00a0', '語', '😀', '\uffff'), fc.constantFrom('\u0000', '\u001f', '\u007f', '\u0080', '\u009f')),
      maxLength: 20,
    });
    const kept = Buffer.alloc(256);
    fc.assert(
      fc.property(text, text, (one, other) => {
        for (const value of [one, other]) {
          const expected = /\p{Cc}/u.test(value);
          const fresh = Buffer.from(value);
          expect(scanner.finds(fresh, 0, fresh.length)).toBe(expected);
          const length = kept.write(value, 3);
          expect(scanner.finds(kept, 3, 3 + length)).toBe(expected);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test('looks at a view’s own bytes, not at the memory it lies in', () => {
    const memory = Buffer.alloc(64, 'x');
    memory[40] = 0;
    const scanner = new ControlCharacterScanner();
    for (let scan = 0; scan < 20; scan++) {
      expect(scanner.finds(memory.subarray(36), 0, 8)).toBe(true);
      expect(scanner.finds(memory.subarray(20, 36), 0, 8)).toBe(false);
    }
    const view = memory.subarray(36);
    const other = memory.subarray(20, 36);
    for (let scan = 0; scan < 40; scan++) {
      expect(scanner.finds(view, 0, 8)).toBe(true);
      expect(scanner.finds(other, 0, 8)).toBe(false);
    }
  });
});

describe('lengths in characters', () => {
  test.each<[string, number]>([
    ['', 0],
    ['abc', 3],
    ['äöü', 3],
    ['日本語', 3],
    ['😀😀', 2],
    ['e\u0301', 2],
  ])('%j has %i', (text, count) => {
    const bytes = Buffer.from(`ü${text}ü`);
    expect(countCharacters(bytes, 2, bytes.length - 2)).toBe(count);
  });

  test('limits agree with the count of code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), fc.nat(14), (text, limit) => {
        const bytes = Buffer.from(text);
        const count = [...text].length;
        expect(hasAtMostCharacters(bytes, 0, bytes.length, limit)).toBe(count <= limit);
        expect(hasAtLeastCharacters(bytes, 0, bytes.length, limit)).toBe(count >= limit);
      }),
      { numRuns: 2_000 },
    );
  });
});
