/** Objects of plain JSON: few escapes, spaces at most between tokens, no key that was never seen before. */
import {
  ENTRY_BYTES,
  ENTRY_CHILD,
  ENTRY_FIELD,
  ENTRY_FOLLOWER,
  ENTRY_LENGTH,
  ENTRY_NAME,
  ENTRY_RECORDS,
  ENTRY_STAMP,
  NODE_COUNT,
  NODE_ENTRIES,
  NODE_FIRST,
  NODE_STAMP,
} from '../layout';
import { findQuote, findStringEnd, sameText } from './text';
import { keepNull, readBoolean, readDigits, readEscapedText, readText } from './values';

/** Deeper values, and more unknown keys, are not plain. */
const PLAIN_DEPTH = 16;
const UNKNOWN_IN_A_RECORD: u32 = 32;

/** Tells the objects of one record from those of the record before. */
let stamp: u32 = 0;
/** Unknown keys of the record at hand: counted once it is taken. */
const unknown = heap.alloc(UNKNOWN_IN_A_RECORD * 4);
let unknownCount: u32 = 0;

/**
 * Reads the object that starts at `at`; returns the position behind it, or 0. What stands behind the input is zeros, which
 * are part of no token: nothing has to ask where the input ends.
 */
export function readRecord(at: usize, root: usize): usize {
  stamp++;
  unknownCount = 0;
  return load<u8>(at) == 0x7b ? readObject(at + 1, root) : 0;
}

/** The record that was read is taken. */
export function countUnknown(): void {
  for (let i: u32 = 0; i < unknownCount; i++) {
    const entry = <usize>load<u32>(unknown + ((<usize>i) << 2));
    store<u32>(entry, load<u32>(entry, ENTRY_RECORDS) + 1, ENTRY_RECORDS);
  }
}

function readObject(start: usize, node: usize): usize {
  // The same key twice.
  if (load<u32>(node, NODE_STAMP) == stamp) return 0;
  store<u32>(node, stamp, NODE_STAMP);
  let at = skipSpaces(start);
  if (load<u8>(at) == 0x7d) return at + 1;
  /** Where the expected key is remembered. */
  let expectation = node + NODE_FIRST;
  while (true) {
    let entry = <usize>load<u32>(expectation);
    if (entry == 0 || !sameText(load<u32>(entry, ENTRY_NAME), at, load<u32>(entry, ENTRY_LENGTH))) {
      entry = findEntry(node, at);
      if (entry == 0) return 0;
      store<u32>(expectation, <u32>entry);
    }
    at = skipSpaces(at + load<u32>(entry, ENTRY_LENGTH));
    if (load<u8>(at) != 0x3a) return 0;
    at = skipSpaces(at + 1);
    const child = <usize>load<u32>(entry, ENTRY_CHILD);
    const field = <usize>load<u32>(entry, ENTRY_FIELD);
    if (field != 0) at = readValue(at, field);
    else if (child != 0) at = load<u8>(at) == 0x7b ? readObject(at + 1, child) : 0;
    else at = noteUnknown(entry) ? skipValue(at, 0) : 0;
    if (at == 0) return 0;
    at = skipSpaces(at);
    const byte = load<u8>(at);
    if (byte == 0x7d) return at + 1;
    if (byte != 0x2c) return 0;
    at = skipSpaces(at + 1);
    expectation = entry + ENTRY_FOLLOWER;
  }
}

function findEntry(node: usize, at: usize): usize {
  const count = load<u32>(node, NODE_COUNT);
  let entry = node + NODE_ENTRIES;
  for (let i: u32 = 0; i < count; i++, entry += ENTRY_BYTES) {
    if (sameText(load<u32>(entry, ENTRY_NAME), at, load<u32>(entry, ENTRY_LENGTH))) return entry;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function skipSpaces(start: usize): usize {
  let at = start;
  while (load<u8>(at) == 0x20) at++;
  return at;
}

function readValue(at: usize, field: usize): usize {
  const byte = <u32>load<u8>(at);
  if (byte == 0x22) {
    const end = findQuote(at + 1);
    if (load<u8>(end) == 0x22) return readText(field, at + 1, end) ? end + 1 : 0;
    const escapedEnd = load<u8>(end) == 0x5c ? readEscapedText(field, at + 1) : 0;
    return escapedEnd != 0 ? escapedEnd + 1 : 0;
  }
  if (byte - 0x30 <= 9 || byte == 0x2d) {
    const end = skipNumber(at);
    return end != 0 && readDigits(field, at, end) ? end : 0;
  }
  if (byte == 0x74) return load<u32>(at) == 0x65757274 && readBoolean(field, true) ? at + 4 : 0;
  if (byte == 0x66) return load<u32>(at + 1) == 0x65736c61 && readBoolean(field, false) ? at + 5 : 0;
  if (byte == 0x6e) return load<u32>(at) == 0x6c6c756e && keepNull(field) ? at + 4 : 0;
  return 0;
}

function noteUnknown(entry: usize): bool {
  if (load<u32>(entry, ENTRY_STAMP) == stamp || unknownCount == UNKNOWN_IN_A_RECORD) return false;
  store<u32>(entry, stamp, ENTRY_STAMP);
  store<u32>(unknown + ((<usize>unknownCount) << 2), <u32>entry);
  unknownCount++;
  return true;
}

/** Walks over any value that is not nested deep. */
function skipValue(start: usize, depth: i32): usize {
  const byte = <u32>load<u8>(start);
  if (byte == 0x22) {
    const end = findStringEnd(start + 1);
    return end != 0 ? end + 1 : 0;
  }
  if (byte == 0x7b || byte == 0x5b) return depth < PLAIN_DEPTH ? skipItems(start, byte, depth + 1) : 0;
  if (byte - 0x30 <= 9 || byte == 0x2d) return skipNumber(start);
  if (load<u32>(start) == 0x65757274 || load<u32>(start) == 0x6c6c756e) return start + 4;
  return byte == 0x66 && load<u32>(start + 1) == 0x65736c61 ? start + 5 : 0;
}

/** The members of an object, or the items of an array, up to behind its end. */
function skipItems(start: usize, opening: u32, depth: i32): usize {
  const closing = opening + 2;
  let at = skipSpaces(start + 1);
  if (<u32>load<u8>(at) == closing) return at + 1;
  while (true) {
    if (opening == 0x7b) {
      if (load<u8>(at) != 0x22) return 0;
      at = findStringEnd(at + 1);
      if (at == 0) return 0;
      at = skipSpaces(at + 1);
      if (load<u8>(at) != 0x3a) return 0;
      at = skipSpaces(at + 1);
    }
    at = skipValue(at, depth);
    if (at == 0) return 0;
    at = skipSpaces(at);
    const byte = <u32>load<u8>(at);
    if (byte == closing) return at + 1;
    if (byte != 0x2c) return 0;
    at = skipSpaces(at + 1);
  }
}

/** `-?(0|[1-9][0-9]*)(.[0-9]+)?`; what follows, an exponent say, is no end of a value and is seen to by the caller. */
function skipNumber(start: usize): usize {
  let at = load<u8>(start) == 0x2d ? start + 1 : start;
  const first = at;
  while (<u32>load<u8>(at) - 0x30 <= 9) at++;
  if (at == first || (load<u8>(first) == 0x30 && at - first > 1)) return 0;
  if (load<u8>(at) == 0x2e) {
    const point = at++;
    while (<u32>load<u8>(at) - 0x30 <= 9) at++;
    if (at == point + 1) return 0;
  }
  return at;
}
