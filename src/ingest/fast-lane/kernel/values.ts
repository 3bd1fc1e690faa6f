/**
 * Normalises one value of a field, where that is plain: what contracts/compile-contract.ts does in general. `false` means
 * nothing but "not plain": someone else looks at the record, and says what is wrong with it if anything is.
 */
import {
  FIELD_END,
  FIELD_LETTERS,
  FIELD_MAXIMUM,
  FIELD_MINIMUM,
  FIELD_NUMBER,
  FIELD_PLAIN_LENGTH,
  FIELD_READER,
  FIELD_START,
  FIELD_STATE,
  FIELD_VALUES,
  ITEM_BYTES,
  LIST_ITEMS,
  MAX_PLAIN_BYTES,
  NULL,
  PRESENT,
  READ_BOOLEAN,
  READ_DATE,
  READ_ENUM,
  READ_HOST,
  READ_ID,
  READ_INTEGER,
  READ_LETTERS,
  READ_MONEY,
  READ_RATE,
  READ_TEXT,
  READ_TIMESTAMP,
  SETUP_ASSUMES_UTC,
  SETUP_EMPTY_IS_NULL,
  SETUP_FIELD_COUNT,
  SETUP_LONGEST_NULL,
  SETUP_NULL_SPELLINGS,
  SETUP_NUMBERS_MAY_BE_NULL,
} from '../layout';
import { findHost, hostEnd, hostStart } from './hosts';
import { copyText, findQuote, sameText, writeNumber } from './text';
import { epochMicros, readDay, timeMicros } from './times';

const EARLIEST: i64 = 946_684_800_000_000;
const MAX_MONEY: i64 = 8_790_000_000_000;
const MAX_SAFE: i64 = 9_007_199_254_740_991;
/** More digits than these are not plain: their value may leave what doubles count one by one. */
const SAFE_DIGITS = 15;

let nullSpellings: usize = 0;
let emptyIsNull: bool = false;
let longestNull: usize = 0;
let assumesUtc: bool = false;
let numbersMayBeNull: bool = false;
/** Where texts that stand nowhere in the record are written, anew for each record. */
let scratchStart: usize = 0;
let scratch: usize = 0;
/** The latest time that a record may have. */
let latest: i64 = 0;

export function setUpValues(setup: usize): void {
  nullSpellings = load<u32>(setup + SETUP_NULL_SPELLINGS * 4);
  emptyIsNull = load<u32>(setup + SETUP_EMPTY_IS_NULL * 4) != 0;
  longestNull = load<u32>(setup + SETUP_LONGEST_NULL * 4);
  assumesUtc = load<u32>(setup + SETUP_ASSUMES_UTC * 4) != 0;
  numbersMayBeNull = load<u32>(setup + SETUP_NUMBERS_MAY_BE_NULL * 4) != 0;
  scratchStart = heap.alloc(<usize>load<u32>(setup + SETUP_FIELD_COUNT * 4) * (MAX_PLAIN_BYTES + 64) * 2);
}

export function clearScratch(): void {
  scratch = scratchStart;
}

export function setLatest(micros: i64): void {
  latest = micros;
}

// @ts-ignore: decorator
@inline
export function keepNull(field: usize): bool {
  // A second value is another one's business: the record names the field twice.
  if (load<u32>(field, FIELD_STATE) != 0) return false;
  store<u32>(field, NULL, FIELD_STATE);
  return true;
}

// @ts-ignore: decorator
@inline
function keepText(field: usize, start: usize, end: usize): bool {
  if (<i32>(end - start) > load<i32>(field, FIELD_PLAIN_LENGTH)) return false;
  store<u32>(field, PRESENT, FIELD_STATE);
  store<u32>(field, <u32>start, FIELD_START);
  store<u32>(field, <u32>end, FIELD_END);
  return true;
}

// @ts-ignore: decorator
@inline
function keepNumber(field: usize, value: i64): bool {
  if (value < load<i64>(field, FIELD_MINIMUM) || value > load<i64>(field, FIELD_MAXIMUM)) return false;
  store<u32>(field, PRESENT, FIELD_STATE);
  store<i64>(field, value, FIELD_NUMBER);
  return true;
}

/** A text without control characters. */
export function readText(field: usize, start: usize, end: usize): bool {
  if (load<u32>(field, FIELD_STATE) != 0) return false;
  const length = end - start;
  if (length == 0) return emptyIsNull ? keepNull(field) : false;
  // Blanks at the ends are for the general reader to cut.
  if (load<u8>(start) == 0x20 || load<u8>(end - 1) == 0x20 || length > <usize>MAX_PLAIN_BYTES) return false;
  if (length <= longestNull && isNullSpelling(start, length)) return keepNull(field);
  switch (load<u32>(field, FIELD_READER)) {
    case READ_ID:
    case READ_TEXT:
      return keepText(field, start, end);
    case READ_HOST:
      return readHost(field, start, end);
    case READ_ENUM:
      return readEnum(field, start, length) ? keepText(field, start, end) : false;
    case READ_LETTERS:
      return readLetters(field, start, end);
    case READ_TIMESTAMP:
      return readTimestamp(field, start, end);
    case READ_DATE:
      return readDate(field, start, end);
    case READ_BOOLEAN:
      return readTruth(field, start, length);
    default:
      return readNumber(field, start, end);
  }
}

/**
 * A JSON string that holds escapes, from behind its opening quote: written anew where they stand for a quote, a backslash or a
 * slash. Returns the place of its closing quote, or 0.
 */
export function readEscapedText(field: usize, start: usize): usize {
  let at = start;
  const text = scratch;
  while (true) {
    const stop = findQuote(at);
    const length = stop - at;
    if (scratch - text + length > <usize>MAX_PLAIN_BYTES) return 0;
    copyText(scratch, at, length);
    scratch += length;
    const byte = load<u8>(stop);
    if (byte == 0x22) return readText(field, text, scratch) ? stop : 0;
    const escaped = load<u8>(stop, 1);
    if (byte != 0x5c || (escaped != 0x22 && escaped != 0x5c && escaped != 0x2f)) return 0;
    store<u8>(scratch++, escaped);
    at = stop + 2;
  }
}

/** A number in JSON's grammar, without an exponent. */
export function readDigits(field: usize, start: usize, end: usize): bool {
  if (load<u32>(field, FIELD_STATE) != 0) return false;
  if (end - start <= longestNull && isNullSpelling(start, end - start)) return keepNull(field);
  switch (load<u32>(field, FIELD_READER)) {
    case READ_ID:
    case READ_TEXT:
      return isInteger(start, end) ? keepText(field, start, end) : false;
    case READ_MONEY:
    case READ_INTEGER:
    case READ_RATE:
      return readNumber(field, start, end);
    case READ_TIMESTAMP:
      return keepTime(field, epochMicros(start, end));
    case READ_BOOLEAN:
      return readTruth(field, start, end - start);
    default:
      return false;
  }
}

export function readBoolean(field: usize, value: bool): bool {
  if (load<u32>(field, FIELD_STATE) != 0 || load<u32>(field, FIELD_READER) != READ_BOOLEAN) return false;
  store<u32>(field, PRESENT, FIELD_STATE);
  store<i64>(field, value ? 1 : 0, FIELD_NUMBER);
  return true;
}

/** `true`, `false`, 1, 0. */
function readTruth(field: usize, start: usize, length: usize): bool {
  if (length == 1) {
    const digit = <u32>load<u8>(start) - 0x30;
    return digit <= 1 ? readBoolean(field, digit == 1) : false;
  }
  if (length == 4 && load<u32>(start) == 0x65757274) return readBoolean(field, true);
  if (length == 5 && load<u8>(start) == 0x66 && load<u32>(start, 1) == 0x65736c61) return readBoolean(field, false);
  return false;
}

/** Microseconds by the schema. */
export function readMicros(field: usize, micros: i64): bool {
  if (load<u32>(field, FIELD_STATE) != 0 || load<u32>(field, FIELD_READER) != READ_TIMESTAMP) return false;
  return keepTime(field, micros);
}

/** A whole number by the schema: read as its digits are. */
export function readLong(field: usize, value: i64): bool {
  const start = scratch;
  scratch = writeNumber(start, value);
  return readDigits(field, start, scratch);
}

/** A double that six decimals say whole: up to fifteen digits, there is one decimal text a double. */
export function readDouble(field: usize, value: f64): bool {
  if (load<u32>(field, FIELD_STATE) != 0 || load<u32>(field, FIELD_READER) != READ_MONEY) return false;
  if (numbersMayBeNull || !(value >= 0) || value > 8_790_000) return false;
  const millionths = Math.floor(value * 1e6 + 0.5);
  if (millionths / 1e6 != value) return false;
  // -0 is written as 0.
  return keepNumber(field, <i64>millionths);
}

function isNullSpelling(start: usize, length: usize): bool {
  const count = load<u32>(nullSpellings);
  let item = nullSpellings + LIST_ITEMS;
  for (let i: u32 = 0; i < count; i++, item += ITEM_BYTES) {
    if (<usize>load<u32>(item, 4) == length && sameText(load<u32>(item), start, length)) return true;
  }
  return false;
}

function readEnum(field: usize, start: usize, length: usize): bool {
  const values = <usize>load<u32>(field, FIELD_VALUES);
  const count = load<u32>(values);
  let item = values + LIST_ITEMS;
  for (let i: u32 = 0; i < count; i++, item += ITEM_BYTES) {
    if (<usize>load<u32>(item, 4) == length && sameText(load<u32>(item), start, length)) return true;
  }
  return false;
}

function readLetters(field: usize, start: usize, end: usize): bool {
  if (<u32>(end - start) != load<u32>(field, FIELD_LETTERS)) return false;
  for (let at = start; at < end; at++) if (<u32>load<u8>(at) - 0x41 > 25) return false;
  return keepText(field, start, end);
}

function readHost(field: usize, start: usize, end: usize): bool {
  if (!findHost(start, end, scratch) || !keepText(field, hostStart, hostEnd)) return false;
  // It may stand there.
  scratch += end - start;
  return true;
}

function isInteger(start: usize, end: usize): bool {
  for (let at = load<u8>(start) == 0x2d ? start + 1 : start; at < end; at++) if (<u32>load<u8>(at) - 0x30 > 9) return false;
  return true;
}

/** `digits[.digits]`, and for integers a sign. */
function readNumber(field: usize, start: usize, end: usize): bool {
  const reader = load<u32>(field, FIELD_READER);
  const scale = reader == READ_MONEY ? 6 : reader == READ_RATE ? 9 : 0;
  let at = start;
  const isNegative = load<u8>(at) == 0x2d;
  if (isNegative) {
    if (reader != READ_INTEGER) return false;
    at++;
  }
  let value: i64 = 0;
  const first = at;
  let digit: u32 = 0;
  while (at < end && (digit = <u32>load<u8>(at) - 0x30) <= 9) {
    value = value * 10 + digit;
    at++;
  }
  if (at == first) return false;
  let decimals: i32 = 0;
  if (at < end) {
    if (load<u8>(at) != 0x2e) return false;
    const point = at++;
    while (at < end && (digit = <u32>load<u8>(at) - 0x30) <= 9) {
      value = value * 10 + digit;
      at++;
    }
    decimals = <i32>(at - point) - 1;
    if (decimals == 0 || at < end || decimals > scale) return false;
  }
  if (<i32>(at - first) > SAFE_DIGITS) return false;
  for (; decimals < scale; decimals++) value *= 10;
  if (value > (reader == READ_MONEY ? MAX_MONEY : MAX_SAFE)) return false;
  return keepNumber(field, isNegative ? -value : value);
}

function readTimestamp(field: usize, start: usize, end: usize): bool {
  return keepTime(field, timeMicros(start, end, assumesUtc));
}

function readDate(field: usize, start: usize, end: usize): bool {
  if (end - start != 10) return false;
  const days = readDay(start);
  return days >= 0 ? keepNumber(field, days) : false;
}

// @ts-ignore: decorator
@inline
function keepTime(field: usize, micros: i64): bool {
  return micros >= EARLIEST && micros <= latest ? keepNumber(field, micros) : false;
}
