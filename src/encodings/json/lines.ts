import { isSpace, LINE_FEED, OPEN_OBJECT } from './bytes.ts';

/** The end of the white space at `start` that stays on its line. */
export function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== LINE_FEED && isSpace(bytes[at] as number)) at++;
  return at;
}

/** Next line break, or `end`. */
export function findLineFeed(bytes: Uint8Array, start: number, end: number): number {
  const found = bytes.indexOf(LINE_FEED, start);
  return found < 0 || found > end ? end : found;
}

/** Next line break with a brace behind it, or `end`. */
export function findBraceLine(bytes: Uint8Array, start: number, end: number): number {
  let at = findLineFeed(bytes, start, end);
  while (at < end && (at + 1 === end || bytes[at + 1] !== OPEN_OBJECT)) at = findLineFeed(bytes, at + 1, end);
  return at;
}

/** Whether the object at `start` has its brace alone on the first line: it is laid out over several. */
export function startsWithBraceLine(bytes: Uint8Array, start: number, end: number): boolean {
  const at = skipBlanks(bytes, start + 1, end);
  return at < end && bytes[at] === LINE_FEED;
}
