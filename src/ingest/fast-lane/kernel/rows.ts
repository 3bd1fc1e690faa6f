/** From the fields of a plain record to a row of the segment: what record-receiver.ts does in general. */
import {
  FIELD_BYTES,
  FIELD_COLUMN,
  FIELD_END,
  FIELD_IS_TEXT,
  FIELD_NUMBER,
  FIELD_READER,
  FIELD_REQUIRED,
  FIELD_START,
  FIELD_STATE,
  ITEM_BYTES,
  LIST_ITEMS,
  PRESENT,
  READ_BOOLEAN,
  READ_DATE,
  READ_MONEY,
  SETUP_AGENT_FIELD,
  SETUP_AGENT_TAG,
  SETUP_BOT,
  SETUP_CONTENT_FIELDS,
  SETUP_CONTENT_HASH,
  SETUP_CURRENCY,
  SETUP_CURRENCY_FIELD,
  SETUP_EVENT_KEY,
  SETUP_FIELDS,
  SETUP_FIELD_COUNT,
  SETUP_ID_FIELD,
  SETUP_ID_PREFIX,
  SETUP_ID_PREFIX_LENGTH,
  SETUP_KEY_HASH,
  SETUP_NATURAL_FIELDS,
  SETUP_NATURAL_PREFIX,
  SETUP_NATURAL_PREFIX_LENGTH,
  SETUP_POSITION,
  SETUP_REPORT_DATE,
  SETUP_STAGE_ROW,
  SETUP_TIME_FIELD,
  SETUP_USER_FIELD,
  SETUP_USER_HASH,
} from '../layout';
import { agentHigh, agentIsBot, agentLow, lookUpAgent } from './agents';
import { appendBit, appendDay, appendHash, appendKey, appendLong, appendNull, appendText, endRow } from './columns';
import { beginParts, endPart, finishParts, h1, h2, h3, h4, partsEnd, rawPart, textPart, wordPart } from './murmur3';
import { writeNumber } from './text';
import { clearScratch } from './values';

/** Amounts in the instance's currency, in millionths, may be so large. */
const MAX_MONEY: i64 = 8_790_000_000_000;
const RATE_ONE: i64 = 1_000_000_000;

/** 10⁻⁹ of the instance's currency for one of another, named by its letters, at a time; 0 where it is not known. */
// @ts-ignore: decorator
@external('lane', 'findRate')
declare function findRate(letters: u32, micros: f64): f64;

/** Finds the reporting day of a time, in days since 1970, and tells by `setDay` for which times around it holds. */
// @ts-ignore: decorator
@external('lane', 'findDay')
declare function findDay(micros: f64): void;

let setup: usize = 0;
let fields: usize = 0;
let fieldsEnd: usize = 0;
let day: i32 = 0;
let dayFrom: i64 = 0;
let dayTo: i64 = 0;
/** What the amounts of the record at hand are multiplied by, in 10⁻⁹; 0: they stand in the instance's currency. */
let rate: i64 = 0;

export function setUpRows(words: usize): void {
  setup = words;
  fields = word(SETUP_FIELDS);
  fieldsEnd = fields + word(SETUP_FIELD_COUNT) * FIELD_BYTES;
}

export function setDay(days: i32, from: f64, to: f64): void {
  day = days;
  dayFrom = <i64>from;
  dayTo = <i64>to;
}

// @ts-ignore: decorator
@inline
function word(index: i32): usize {
  return <usize>load<u32>(setup + ((<usize>index) << 2));
}

// @ts-ignore: decorator
@inline
function isPresent(field: usize): bool {
  return load<u32>(field, FIELD_STATE) == PRESENT;
}

// @ts-ignore: decorator
@inline
export function clearFields(): void {
  clearScratch();
  for (let field = fields; field < fieldsEnd; field += FIELD_BYTES) store<u32>(field, 0, FIELD_STATE);
}

/** Whether nothing is missing, and amounts can be brought into the instance's currency. */
export function isWhole(): bool {
  for (let field = fields; field < fieldsEnd; field += FIELD_BYTES) {
    const state = load<u32>(field, FIELD_STATE);
    const required = load<u32>(field, FIELD_REQUIRED);
    // 1: a value is required · 2: the field must be there, if without a value.
    if ((required == 1 && state != PRESENT) || (required == 2 && state == 0)) return false;
  }
  rate = 0;
  const currency = word(SETUP_CURRENCY_FIELD);
  if (currency == 0 || !isPresent(currency)) return true;
  const letters = load<u32>(load<u32>(currency, FIELD_START)) & 0xffffff;
  return letters == <u32>word(SETUP_CURRENCY) || isConvertible(letters);
}

/** Products that 64 bits do not hold are left to those that count with more. */
function isConvertible(letters: u32): bool {
  for (let field = fields; field < fieldsEnd; field += FIELD_BYTES) {
    if (load<u32>(field, FIELD_READER) != READ_MONEY || !isPresent(field)) continue;
    if (rate == 0) rate = <i64>findRate(letters, <f64>load<i64>(word(SETUP_TIME_FIELD), FIELD_NUMBER));
    const amount = load<i64>(field, FIELD_NUMBER);
    if (rate <= 0 || amount < 0 || amount > (i64.MAX_VALUE - RATE_ONE) / rate || converted(amount) > MAX_MONEY) return false;
  }
  return true;
}

/** Rounded half up; amounts are not negative. */
// @ts-ignore: decorator
@inline
function converted(amount: i64): i64 {
  return (amount * rate + RATE_ONE / 2) / RATE_ONE;
}

function convertAmounts(): void {
  for (let field = fields; field < fieldsEnd; field += FIELD_BYTES) {
    if (load<u32>(field, FIELD_READER) == READ_MONEY && isPresent(field)) store<i64>(field, converted(load<i64>(field, FIELD_NUMBER)), FIELD_NUMBER);
  }
}

export function appendRow(stageRow: i64, position: i64): void {
  const agent = word(SETUP_AGENT_FIELD);
  const hasAgent = agent != 0 && isPresent(agent);
  if (hasAgent) lookUpAgent(load<u32>(agent, FIELD_START), load<u32>(agent, FIELD_END));
  identify();
  appendKey(word(SETUP_EVENT_KEY), h1, h2, h3, h4);
  appendHash(word(SETUP_KEY_HASH), h3, h4);
  hashContent(hasAgent);
  appendHash(word(SETUP_CONTENT_HASH), h1, h2);
  beginParts();
  fieldPart(word(SETUP_USER_FIELD));
  finishParts();
  appendHash(word(SETUP_USER_HASH), h1, h2);
  const time = load<i64>(word(SETUP_TIME_FIELD), FIELD_NUMBER);
  if (time < dayFrom || time >= dayTo) findDay(<f64>time);
  appendDay(word(SETUP_REPORT_DATE), day);
  const bot = word(SETUP_BOT);
  if (bot != 0) appendBit(bot, hasAgent && agentIsBot);
  if (rate != 0) convertAmounts();
  for (let field = fields; field < fieldsEnd; field += FIELD_BYTES) appendField(field);
  appendLong(word(SETUP_STAGE_ROW), stageRow);
  appendLong(word(SETUP_POSITION), position);
  endRow();
}

// @ts-ignore: decorator
@inline
function appendField(field: usize): void {
  const column = <usize>load<u32>(field, FIELD_COLUMN);
  if (!isPresent(field)) return appendNull(column);
  if (load<u32>(field, FIELD_IS_TEXT) != 0) {
    const start = <usize>load<u32>(field, FIELD_START);
    return appendText(column, start, <usize>load<u32>(field, FIELD_END) - start);
  }
  const value = load<i64>(field, FIELD_NUMBER);
  const reader = load<u32>(field, FIELD_READER);
  if (reader == READ_BOOLEAN) appendBit(column, value != 0);
  else if (reader == READ_DATE) appendDay(column, <i32>value);
  else appendLong(column, value);
}

/** A part with the value of a field that is there. */
function fieldPart(field: usize): void {
  if (load<u32>(field, FIELD_IS_TEXT) != 0) {
    const start = <usize>load<u32>(field, FIELD_START);
    textPart(start, <usize>load<u32>(field, FIELD_END) - start);
  } else {
    endPart(writeNumber(partsEnd(), load<i64>(field, FIELD_NUMBER)));
  }
}

function identify(): void {
  beginParts();
  const id = word(SETUP_ID_FIELD);
  if (id != 0 && isPresent(id)) {
    rawPart(word(SETUP_ID_PREFIX), word(SETUP_ID_PREFIX_LENGTH));
    fieldPart(id);
  } else {
    rawPart(word(SETUP_NATURAL_PREFIX), word(SETUP_NATURAL_PREFIX_LENGTH));
    const natural = word(SETUP_NATURAL_FIELDS);
    const count = load<u32>(natural);
    for (let i: u32 = 0; i < count; i++) {
      const field = <usize>load<u32>(natural + 4 + ((<usize>i) << 2));
      if (isPresent(field)) fieldPart(field);
      else textPart(0, 0);
    }
  }
  finishParts();
}

function hashContent(hasAgent: bool): void {
  beginParts();
  const content = word(SETUP_CONTENT_FIELDS);
  let item = content + LIST_ITEMS;
  const end = item + <usize>load<u32>(content) * ITEM_BYTES;
  for (; item < end; item += ITEM_BYTES) {
    const field = <usize>load<u32>(item);
    if (!isPresent(field)) continue;
    wordPart(load<u32>(item, 4));
    if (load<u32>(field, FIELD_IS_TEXT) != 0) {
      const start = <usize>load<u32>(field, FIELD_START);
      textPart(start, <usize>load<u32>(field, FIELD_END) - start);
    } else {
      const value = load<i64>(field, FIELD_NUMBER);
      wordPart(<u32>value);
      wordPart(<u32>(value >> 32));
    }
  }
  if (hasAgent) {
    wordPart(<u32>word(SETUP_AGENT_TAG));
    wordPart(agentHigh);
    wordPart(agentLow);
  }
  finishParts();
}
