import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SHOWN_CHARACTERS, showValue } from './show-value.ts';

function show(value: string | Uint8Array): string {
  const bytes = Buffer.concat([Buffer.from('<'), Buffer.from(value as Uint8Array), Buffer.from('>')]);
  return showValue(bytes, 1, bytes.length - 1);
}

describe('showValue', () => {
  test.each<[string, string]>([
    ['', '""'],
    ['abc', '"abc"'],
    ['x'.repeat(62), `"${'x'.repeat(62)}"`],
    ['x'.repeat(63), `"${'x'.repeat(61)}…"`],
    ['x'.repeat(5_000), `"${'x'.repeat(61)}…"`],
    ['a\nb\u001b[31m', '"a\\u{a}b\\u{1b}[31m"'],
    ['\u202egpj.exe', '"\\u{202e}gpj.exe"'],
    ['a\u200bb\ufeff', '"a\\u{200b}b\\u{feff}"'],
    ['\u2028', '"\\u{2028}"'],
    ['größer 日本 😀', '"größer 日本 😀"'],
  ])('%j', (value, expected) => {
    expect(show(value)).toBe(expected);
  });

  test('bytes that are not UTF-8 show as replacement characters', () => {
    expect(show(Uint8Array.of(0x61, 0xff, 0xc3))).toBe('"a\ufffd\ufffd"');
  });

  test('is never longer than it may be, and never holds what a terminal acts on', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.uint8Array({ maxLength: 400 })), (value) => {
        const shown = show(value);
        expect(shown.length).toBeLessThanOrEqual(SHOWN_CHARACTERS);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }),
      { numRuns: 2_000 },
    );
  });
});
