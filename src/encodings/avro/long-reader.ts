/** A result that is no position: the bytes are no record of the schema, or end inside one. */
export const BROKEN = -1;

/** Largest value of 28 bits. */
const LIMB = 0xfffffff;
export const CUT = 'the block ends inside a record';

/** Reads Avro's numbers and lengths from a block. Methods return the position behind what they read, or BROKEN (`problem` says why). */
export class LongReader {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  end = 0;
  /** Why the bytes are no record. */
  problem = '';
  /** Position behind the index or length that was read. */
  behind = 0;
  /** The long that was read: its magnitude is high·2^56 + middle·2^28 + low. */
  protected isNegative = false;
  protected high = 0;
  protected middle = 0;
  protected low = 0;

  startBlock(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = bytes.length;
  }

  broken(problem: string): number {
    this.problem = problem;
    return BROKEN;
  }

  advance(at: number, size: number): number {
    return at + size > this.end ? this.broken(CUT) : at + size;
  }

  /** Reads an int or long into `high`, `middle`, `low`: variable-length, zig-zag, at most 64 bits. */
  readLong(start: number): number {
    const { bytes, end } = this;
    let at = start;
    let high = 0;
    let middle = 0;
    let low = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end) return this.broken(CUT);
      const byte = bytes[at++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift < 56) middle |= bits << (shift - 28);
      else high |= bits << (shift - 56);
      if (byte < 0x80) break;
      if (shift === 63) return this.broken('a number is longer than 64 bits');
    }
    if (high > 0xff) return this.broken('a number is longer than 64 bits');
    this.isNegative = (low & 1) === 1;
    low = (low >>> 1) | ((middle & 1) << 27);
    middle = (middle >>> 1) | ((high & 1) << 27);
    high >>>= 1;
    if (this.isNegative && ++low > LIMB) {
      low = 0;
      if (++middle > LIMB) {
        middle = 0;
        high++;
      }
    }
    this.high = high;
    this.middle = middle;
    this.low = low;
    return at;
  }

  /** The long as a number: exact up to 2^53. */
  protected magnitude(): number {
    return this.high * 2 ** 56 + this.middle * 2 ** 28 + this.low;
  }

  /** A number that must be below `limit`, read to `behind`; BROKEN otherwise. */
  readIndex(start: number, limit: number): number {
    let index = start < this.end ? (this.bytes[start] as number) : 0x80;
    if (index < 0x80 && (index & 1) === 0) {
      index >>= 1;
      this.behind = start + 1;
    } else {
      this.behind = this.readLong(start);
      if (this.behind < 0) return BROKEN;
      index = this.isNegative ? -1 : this.magnitude();
    }
    return index >= 0 && index < limit ? index : this.broken('a number is no branch of its union, no symbol of its enum, or no length');
  }

  /** The length of bytes that the block holds behind it, at `behind`. */
  readLength(start: number): number {
    const length = this.readIndex(start, this.end + 1);
    return length >= 0 && this.behind + length > this.end ? this.broken(CUT) : length;
  }

  skipBytes(at: number): number {
    const length = this.readLength(at);
    return length < 0 ? BROKEN : this.behind + length;
  }

  /** An array or map: blocks of items, each with a count, up to an empty one. A negative count comes with the block's bytes. */
  skipItems(start: number, item: (reader: this, at: number) => number, isMap: boolean, itemsAreEmpty: boolean): number {
    let at = start;
    for (;;) {
      at = this.readLong(at);
      if (at < 0) return BROKEN;
      const count = this.magnitude();
      if (count === 0) return at;
      if (this.isNegative) {
        at = this.skipBytes(at);
        if (at < 0) return BROKEN;
        continue;
      }
      if (itemsAreEmpty && !isMap) continue;
      if (count > this.end - at) return this.broken('an array or map has more items than the block has bytes');
      for (let i = 0; i < count && at >= 0; i++) {
        if (isMap) at = this.skipBytes(at);
        if (at >= 0) at = item(this, at);
      }
      if (at < 0) return BROKEN;
    }
  }
}
