/** The most characters of a value that a message shows, quotes and all. */
export const SHOWN_CHARACTERS = 64;

const ELLIPSIS = '…';
/** Nothing that a terminal or a web page would act on, hide, or turn around: controls, line separators, bidi marks, zero-width characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;

const decoder = new TextDecoder('utf-8');

/** A value in quotes, cut, with what cannot be printed written as `\u{7f}`. */
export function showValue(bytes: Uint8Array, start: number, end: number): string {
  const limit = SHOWN_CHARACTERS - 2;
  // Four bytes are the most that one character takes; a character that the cut goes through is behind the limit anyway.
  const cut = end - start > limit * 4 + 4;
  const text = decoder.decode(bytes.subarray(start, cut ? start + limit * 4 + 4 : end));
  let shown = '';
  let whole = '';
  for (const character of text) {
    const printed = UNPRINTABLE.test(character) ? `\\u{${character.codePointAt(0)?.toString(16)}}` : character;
    whole += printed;
    if (whole.length <= limit - ELLIPSIS.length) shown = whole;
    else if (whole.length > limit) return `"${shown}${ELLIPSIS}"`;
  }
  return cut ? `"${shown}${ELLIPSIS}"` : `"${whole}"`;
}
