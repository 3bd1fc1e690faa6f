import { findByte, lowestFlag, spread } from '../find-byte.ts';
import { RecordSlots, ValueKind } from '../record-slots.ts';
import { Scratch } from '../scratch.ts';

export const QUOTE = 0x22;
export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;

/** Results of reading that are no position. */
export const NEED_MORE = -1;
export const BROKEN = -2;

/**
 * Reads one row of RFC 4180 in place: cells between delimiters, quoted ones with doubled quotes and line breaks in them,
 * a line feed at the end with or without a carriage return before it. Strict: a quote stands around a cell or is doubled
 * inside a quoted one, nowhere else.
 */
export class RowReader {
  readonly slots: RecordSlots;
  /** Cells of the row that was read. */
  cells = 0;
  /** Where the row's own bytes end, before its line break. */
  rowEnd = 0;
  /** A cell was quoted: it may hold line breaks. */
  quoted = false;
  /** The row ended with the input, not with a line break. */
  endedWithInput = false;
  problem = '';
  problemAt = 0;
  private readonly fieldOfColumn: Int32Array;
  private readonly delimiter: number;
  private readonly delimiters: number;
  private readonly scratch = new Scratch();
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));

  /** `fieldOfColumn`: the slot of each column, or -1. Columns after them are counted only. */
  constructor(delimiter: number, fieldOfColumn: Int32Array, fieldCount: number) {
    this.delimiter = delimiter;
    this.delimiters = spread(delimiter);
    this.fieldOfColumn = fieldOfColumn;
    this.slots = new RecordSlots(fieldCount);
    // Every row has every column: what kinds there are is known once.
    for (const field of fieldOfColumn) if (field >= 0) this.slots.kinds[field] = ValueKind.text;
  }

  /** Returns the position behind the row and its line break, or NEED_MORE or BROKEN. `final`: the input ends at `end`. */
  read(bytes: Uint8Array, start: number, end: number, final: boolean): number {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.scratch.reset();
    this.quoted = false;
    const { view, delimiters, delimiter } = this;
    let at = start;
    for (let column = 0; ; column++) {
      if (at < end && bytes[at] === QUOTE) {
        at = this.readQuoted(at + 1, end, final, column);
        if (at < 0) return at;
      } else {
        const cell = at;
        for (; at + 4 <= end; at += 4) {
          const word = view.getInt32(at, true);
          const atDelimiter = word ^ delimiters;
          const atLineFeed = word ^ 0x0a0a0a0a;
          const atQuote = word ^ 0x22222222;
          const flags =
            (((atDelimiter - 0x01010101) & ~atDelimiter) | ((atLineFeed - 0x01010101) & ~atLineFeed) | ((atQuote - 0x01010101) & ~atQuote)) & 0x80808080;
          if (flags !== 0) {
            at += lowestFlag(flags);
            break;
          }
        }
        while (at < end && bytes[at] !== delimiter && bytes[at] !== LINE_FEED && bytes[at] !== QUOTE) at++;
        if (at >= end && !final) return NEED_MORE;
        if (at < end && bytes[at] === QUOTE) return this.broken(at, 'a cell with a quote in it must be quoted, and its quotes doubled');
        const cellEnd = (at >= end || bytes[at] === LINE_FEED) && at > cell && bytes[at - 1] === CARRIAGE_RETURN ? at - 1 : at;
        this.setCell(column, bytes, cell, cellEnd);
        this.rowEnd = cellEnd;
      }
      if (at < end && bytes[at] === delimiter) {
        at++;
        continue;
      }
      this.cells = column + 1;
      this.endedWithInput = at >= end;
      return at >= end ? end : at + 1;
    }
  }

  private setCell(column: number, bytes: Uint8Array, start: number, end: number): void {
    if (column >= this.fieldOfColumn.length) return;
    const field = this.fieldOfColumn[column] as number;
    if (field < 0) return;
    const { slots } = this;
    if (slots.buffers[field] !== bytes) slots.buffers[field] = bytes;
    slots.starts[field] = start;
    slots.ends[field] = end;
  }

  /** From behind the opening quote to the delimiter or line feed behind the cell, or the end of the input. */
  private readQuoted(start: number, end: number, final: boolean, column: number): number {
    const { bytes, view } = this;
    this.quoted = true;
    let doubled = false;
    let quote = start;
    for (;;) {
      quote = findByte(view, bytes, QUOTE, quote, end);
      if (quote >= end || (quote + 1 >= end && !final)) return NEED_MORE;
      if (quote + 1 >= end || bytes[quote + 1] !== QUOTE) break;
      doubled = true;
      quote += 2;
    }
    if (doubled) this.setUndoubled(column, start, quote);
    else this.setCell(column, bytes, start, quote);
    let at = quote + 1;
    this.rowEnd = at;
    if (at < end && bytes[at] === CARRIAGE_RETURN) {
      at++;
      if (at >= end && !final) return NEED_MORE;
      if (at < end && bytes[at] !== LINE_FEED) return this.broken(at, 'a carriage return follows a quoted cell, but no line feed');
    }
    if (at < end && bytes[at] !== this.delimiter && bytes[at] !== LINE_FEED) return this.broken(at, 'something follows the closing quote of a cell');
    return at;
  }

  private setUndoubled(column: number, start: number, end: number): void {
    const { bytes, scratch } = this;
    scratch.reserve(end - start);
    const from = scratch.used;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      scratch.bytes[scratch.used++] = byte;
      if (byte === QUOTE) at++;
    }
    this.setCell(column, scratch.bytes, from, scratch.used);
  }

  private broken(at: number, problem: string): number {
    this.problem = problem;
    this.problemAt = at;
    return BROKEN;
  }
}
