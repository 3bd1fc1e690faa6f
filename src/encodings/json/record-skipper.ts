import { BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, COLON, COMMA, isSpace, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './bytes.ts';

/**
 * Finds the end of a record that is too large to hold, over any number of chunks. It knows strings and nesting only, and
 * stops where the record cannot go on (`broken`): a control character in a string, a value that follows a value.
 */
export class RecordSkipper {
  state: 'inside' | 'ended' | 'broken' = 'ended';
  private depth = 0;
  private inString = false;
  private escaped = false;
  /** The last byte outside strings that is no white space; 0 at the start. */
  private last = 0;

  start(): void {
    this.state = 'inside';
    this.depth = 0;
    this.inString = false;
    this.escaped = false;
    this.last = 0;
  }

  /** Returns the position behind the record, or where it breaks, or `end`. */
  skip(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      if (this.inString) {
        if (byte < 0x20) return this.stop('broken', at);
        this.passStringByte(byte);
        continue;
      }
      if (isSpace(byte)) continue;
      if (this.depth === 0 && (byte === COMMA || byte === CLOSE_ARRAY)) return this.stop('ended', at);
      if (byte === QUOTE || byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (!this.valueMayFollow()) return this.stop('broken', at);
        if (byte === QUOTE) this.inString = true;
        else this.depth++;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        this.depth--;
        if (this.depth <= 0) return this.stop('ended', at + 1);
      }
      this.last = byte;
    }
    return end;
  }

  private passStringByte(byte: number): void {
    if (this.escaped) this.escaped = false;
    else if (byte === BACKSLASH) this.escaped = true;
    else if (byte === QUOTE) this.inString = false;
  }

  private valueMayFollow(): boolean {
    const { last } = this;
    return last === 0 || last === COLON || last === COMMA || last === OPEN_OBJECT || last === OPEN_ARRAY;
  }

  private stop(state: 'ended' | 'broken', at: number): number {
    this.state = state;
    return at;
  }
}
