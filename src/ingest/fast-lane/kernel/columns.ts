/** The columns of the segment that is filled, in the form that the file holds (staging/column-builder.ts). */
import {
  COLUMN_CAPACITY,
  COLUMN_DATA,
  COLUMN_DICTIONARY,
  COLUMN_NULLS,
  COLUMN_POSITION,
  COLUMN_PRESENCE,
  DICTIONARY_COUNT,
  DICTIONARY_DATA,
  DICTIONARY_TRIAL,
} from '../layout';
import { indexOf } from './dictionary';
import { copyText } from './text';

/** Rows so far, the same in every column. */
export let rows: u32 = 0;

export function clearRows(): void {
  rows = 0;
}

// @ts-ignore: decorator
@inline
export function endRow(): void {
  rows++;
}

/** Room for `size` bytes more, and for sixteen that a copy may write past them; returns where they go. */
// @ts-ignore: decorator
@inline
function reserve(column: usize, size: usize): usize {
  const position = <usize>load<u32>(column, COLUMN_POSITION);
  if (position + size + 16 > <usize>load<u32>(column, COLUMN_CAPACITY)) grow(column, position + size + 16);
  store<u32>(column, <u32>(position + size), COLUMN_POSITION);
  return <usize>load<u32>(column, COLUMN_DATA) + position;
}

function grow(column: usize, needed: usize): void {
  let capacity = <usize>load<u32>(column, COLUMN_CAPACITY) * 2;
  while (capacity < needed) capacity *= 2;
  const data = heap.alloc(capacity);
  memory.copy(data, load<u32>(column, COLUMN_DATA), load<u32>(column, COLUMN_POSITION));
  store<u32>(column, <u32>data, COLUMN_DATA);
  store<u32>(column, <u32>capacity, COLUMN_CAPACITY);
}

// @ts-ignore: decorator
@inline
function markPresent(column: usize): void {
  const at = <usize>load<u32>(column, COLUMN_PRESENCE) + <usize>(rows >> 3);
  store<u8>(at, load<u8>(at) | <u8>(<u32>1 << (rows & 7)));
}

// @ts-ignore: decorator
@inline
export function appendNull(column: usize): void {
  store<u32>(column, load<u32>(column, COLUMN_NULLS) + 1, COLUMN_NULLS);
}

export function appendText(column: usize, start: usize, length: usize): void {
  const dictionary = <usize>load<u32>(column, COLUMN_DICTIONARY);
  if (dictionary == 0) {
    appendPlain(column, start, length);
  } else {
    const index = indexOf(dictionary, start, length);
    store<u16>(reserve(column, 2), <u16>index);
    if (index >= <u32>DICTIONARY_TRIAL && index > load<u32>(column, COLUMN_POSITION) >> 4) leaveDictionary(column, dictionary);
  }
  markPresent(column);
}

// @ts-ignore: decorator
@inline
function appendPlain(column: usize, start: usize, length: usize): void {
  const at = reserve(column, length + 4);
  store<u32>(at, <u32>length);
  copyText(at + 4, start, length);
}

/** The column's texts hardly come again: they stand in it as they are, from here on and for as long as the kernel runs. */
function leaveDictionary(column: usize, dictionary: usize): void {
  const count = <usize>load<u32>(dictionary, DICTIONARY_COUNT);
  const texts = heap.alloc(count << 2);
  let text = <usize>load<u32>(dictionary, DICTIONARY_DATA);
  for (let i: usize = 0; i < count; i++) {
    store<u32>(texts + (i << 2), <u32>text);
    text += 4 + <usize>load<u32>(text);
  }
  const indices = <usize>load<u32>(column, COLUMN_DATA);
  const end = indices + <usize>load<u32>(column, COLUMN_POSITION);
  const capacity = load<u32>(column, COLUMN_CAPACITY);
  store<u32>(column, <u32>heap.alloc(capacity), COLUMN_DATA);
  store<u32>(column, 0, COLUMN_POSITION);
  store<u32>(column, 0, COLUMN_DICTIONARY);
  for (let at = indices; at < end; at += 2) {
    const entry = <usize>load<u32>(texts + ((<usize>load<u16>(at)) << 2));
    appendPlain(column, entry + 4, load<u32>(entry));
  }
}

// @ts-ignore: decorator
@inline
export function appendLong(column: usize, value: i64): void {
  store<i64>(reserve(column, 8), value);
  markPresent(column);
}

// @ts-ignore: decorator
@inline
export function appendDay(column: usize, value: i32): void {
  store<i32>(reserve(column, 4), value);
  markPresent(column);
}

// @ts-ignore: decorator
@inline
export function appendBit(column: usize, value: bool): void {
  const position = load<u32>(column, COLUMN_POSITION);
  const at = <usize>load<u32>(column, COLUMN_DATA) + <usize>(position >> 3);
  store<u8>(at, load<u8>(at) | <u8>(<u32>(value ? 1 : 0) << (position & 7)));
  store<u32>(column, position + 1, COLUMN_POSITION);
  markPresent(column);
}

// @ts-ignore: decorator
@inline
export function appendKey(column: usize, a: u32, b: u32, c: u32, d: u32): void {
  const at = reserve(column, 16);
  store<u32>(at, bswap<u32>(a));
  store<u32>(at, bswap<u32>(b), 4);
  store<u32>(at, bswap<u32>(c), 8);
  store<u32>(at, bswap<u32>(d), 12);
  markPresent(column);
}

/** Two words of a hash, as one signed 64-bit integer. */
// @ts-ignore: decorator
@inline
export function appendHash(column: usize, high: u32, low: u32): void {
  store<u64>(reserve(column, 8), ((<u64>high) << 32) | (<u64>low));
  markPresent(column);
}
