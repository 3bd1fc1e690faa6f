/** Avro's binary encoding into one growing buffer, as far as the generator needs it (Avro 1.12, Binary Encoding). */
export class AvroWriter {
  bytes: Buffer;
  length = 0;

  constructor(capacity = 1 << 12) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  clear(): void {
    this.length = 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** A safe integer as a zig-zag varint; past 2³¹ by division, because bit operations stop there. */
  long(value: number): void {
    this.reserve(10);
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    // Twice a safe integer may lose its last bit: no time and no count in the files comes near.
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  /** A long of up to 63 bits from its digits. */
  longOfDigits(digits: string): void {
    this.reserve(10);
    const zigZag = BigInt(digits) << 1n;
    // 28 bits are four varint bytes: plain numbers do the rest.
    let low = Number(zigZag & 0xfffffffn);
    let middle = Number((zigZag >> 28n) & 0xfffffffn);
    let high = Number(zigZag >> 56n);
    const bytes = this.bytes;
    let at = this.length;
    const wide = high > 0 || middle > 0;
    if (wide) {
      for (let i = 0; i < 4; i++, low >>>= 7) bytes[at++] = (low & 0x7f) | 0x80;
      if (high > 0) {
        for (let i = 0; i < 4; i++, middle >>>= 7) bytes[at++] = (middle & 0x7f) | 0x80;
        low = high;
        high = 0;
      } else low = middle;
    }
    for (; low >= 0x80; low >>>= 7) bytes[at++] = (low & 0x7f) | 0x80;
    bytes[at++] = low;
    this.length = at;
  }

  double(value: number): void {
    this.reserve(8);
    this.length = this.bytes.writeDoubleLE(value, this.length);
  }

  text(value: string): void {
    const length = value.length;
    // The longest UTF-8 and the longest length before it.
    this.reserve(length * 3 + 10);
    const bytes = this.bytes;
    const start = this.length;
    // Nearly every text is short and ASCII: one length byte, one loop. A longer or accented one starts over.
    if (length < 64) {
      let at = start;
      bytes[at++] = length << 1;
      let i = 0;
      for (; i < length; i++) {
        const unit = value.charCodeAt(i);
        if (unit > 0x7f) break;
        bytes[at++] = unit;
      }
      if (i === length) {
        this.length = at;
        return;
      }
    }
    this.long(Buffer.byteLength(value));
    this.length += this.bytes.write(value, this.length);
  }

  optionalText(value: string | null): void {
    if (value === null) {
      this.byte(0);
      return;
    }
    this.byte(2);
    this.text(value);
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  rawRange(value: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    this.length += value.copy(this.bytes, this.length, start, end);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const bigger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + more));
    this.bytes.copy(bigger, 0, 0, this.length);
    this.bytes = bigger;
  }
}
