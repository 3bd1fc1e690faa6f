/** The kernel of the fast lane: plain records from bytes to rows of a segment, until one comes that is not plain. */
import { LANE_ROWS, MAX_PLAIN_BYTES, SETUP_FIELDS, SETUP_FIELD_COUNT, SETUP_ROOT_NODE } from '../layout';
import { setUpAgents } from './agents';
import { readAvroRecord, setProgram } from './avro';
import { appendLong, clearRows, rows } from './columns';
import { countUnknown, readRecord } from './json';
import { allocateParts } from './murmur3';
import { appendRow, clearFields, isWhole, setDay, setUpRows } from './rows';
import { setLatest, setUpValues } from './values';

export { appendBit, appendDay, appendHash, appendKey, appendNull, appendText, endRow } from './columns';
export { setDay, setProgram };

let root: usize = 0;
let fields: usize = 0;
let behind: usize = 0;

export function allocate(size: usize): usize {
  const address = heap.alloc(size);
  memory.fill(address, 0, size);
  return address;
}

/** Memory that was handed in can be used again by the caller only. */
export function setUp(setup: usize): void {
  root = load<u32>(setup + SETUP_ROOT_NODE * 4);
  fields = load<u32>(setup + SETUP_FIELDS * 4);
  setUpValues(setup);
  setUpRows(setup);
  allocateParts(<usize>(load<u32>(setup + SETUP_FIELD_COUNT * 4) + 4) * (MAX_PLAIN_BYTES + 16));
  setUpAgents();
}

export function setReceived(latestMicros: f64): void {
  setLatest(<i64>latestMicros);
}

/** A whole number, as JavaScript holds it. */
export function appendNumber(column: usize, value: f64): void {
  appendLong(column, <i64>value);
}

export function rowCount(): u32 {
  return rows;
}

export function clear(): void {
  clearRows();
}

/** Position behind the last record that was taken. */
export function takenUpTo(): usize {
  return behind;
}

/** Takes plain objects, each with its line break, from `start` on; at most `limit` of them, none longer than `longest` bytes. */
export function takeLines(start: usize, end: usize, limit: u32, longest: u32, stageRow: f64, position: f64): u32 {
  let at = start;
  let taken: u32 = 0;
  const room = min(limit, LANE_ROWS - rows);
  behind = start;
  while (taken < room) {
    clearFields();
    const close = readRecord(at, root);
    if (close == 0 || close - at > <usize>longest) break;
    let next = close;
    if (load<u8>(next) == 0x0d) next++;
    if (next >= end || load<u8>(next) != 0x0a || !isWhole()) break;
    appendRow(<i64>stageRow + taken, <i64>position + taken);
    countUnknown();
    taken++;
    at = next + 1;
    behind = at;
  }
  return taken;
}

/** Takes the one object that the bytes are, if it is plain and no longer than `longest` bytes. */
export function takeObject(start: usize, end: usize, longest: u32, stageRow: f64, position: f64): u32 {
  if (rows >= <u32>LANE_ROWS) return 0;
  clearFields();
  if (readRecord(start, root) != end || end - start > <usize>longest || !isWhole()) return 0;
  appendRow(<i64>stageRow, <i64>position);
  countUnknown();
  behind = end;
  return 1;
}

/** The same for an Avro record. */
export function takeAvroRecord(start: usize, end: usize, longest: u32, stageRow: f64, position: f64): u32 {
  if (rows >= <u32>LANE_ROWS) return 0;
  clearFields();
  if (readAvroRecord(start, end, fields) != end || end - start > <usize>longest || !isWhole()) return 0;
  appendRow(<i64>stageRow, <i64>position);
  behind = end;
  return 1;
}

/** Takes plain records of an Avro block from `start` on, at most `limit` of them, none longer than `longest` bytes. */
export function takeAvro(start: usize, end: usize, limit: u32, longest: u32, stageRow: f64, position: f64): u32 {
  let at = start;
  let taken: u32 = 0;
  const room = min(limit, LANE_ROWS - rows);
  behind = start;
  while (taken < room) {
    clearFields();
    const next = readAvroRecord(at, end, fields);
    if (next == 0 || next - at > <usize>longest || !isWhole()) break;
    appendRow(<i64>stageRow + taken, <i64>position + taken);
    taken++;
    at = next;
    behind = at;
  }
  return taken;
}
