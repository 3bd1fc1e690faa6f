/** Objects of plain JSON: no escapes, spaces at most between tokens, no key that the contract does not know. */
import {
  ENTRY_BYTES,
  ENTRY_CHILD,
  ENTRY_FIELD,
  ENTRY_FOLLOWER,
  ENTRY_LENGTH,
  ENTRY_NAME,
  NODE_COUNT,
  NODE_ENTRIES,
  NODE_FIRST,
  NODE_STAMP,
} from '../layout';
import { findQuote, sameText } from './text';
import { keepNull, readBoolean, readDigits, readText } from './values';

/** Tells the objects of one record from those of the record before. */
let stamp: u32 = 0;

/**
 * Reads the object that starts at `at`; returns the position behind it, or 0. What stands behind the input is zeros, which
 * are part of no token: nothing has to ask where the input ends.
 */
export function readRecord(at: usize, root: usize): usize {
  stamp++;
  return load<u8>(at) == 0x7b ? readObject(at + 1, root) : 0;
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
    at = child == 0 ? readValue(at, load<u32>(entry, ENTRY_FIELD)) : load<u8>(at) == 0x7b ? readObject(at + 1, child) : 0;
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
    return load<u8>(end) == 0x22 && readText(field, at + 1, end) ? end + 1 : 0;
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
