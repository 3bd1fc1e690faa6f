const REMEMBERED = 1000;
/** Places with accents come again and again. */
const accented = new Map<string, Buffer>();

/**
 * Bytes into one growing buffer: plain ones, and Avro's binary encoding as far as the generator needs it (Avro 1.12, Binary
 * Encoding).
 */
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

  /** An integer within ±2⁵² as a zig-zag varint, in halves of 28 bits, which are four of its bytes: bit operations stop at 32. */
  long(value: number): void {
    this.reserve(10);
    const zigZag = value < 0 ? -2 * value - 1 : 2 * value;
    const high = Math.floor(zigZag / 0x10000000);
    this.varint(zigZag - high * 0x10000000, high);
  }

  /** A long of up to 63 bits from its digits. */
  longOfDigits(digits: string): void {
    this.reserve(10);
    const zigZag = BigInt(digits) << 1n;
    this.varint(Number(zigZag & 0xfffffffn), Number((zigZag >> 28n) & 0xfffffffn), Number(zigZag >> 56n));
  }

  double(value: number): void {
    this.reserve(8);
    this.length = this.bytes.writeDoubleLE(value, this.length);
  }

  text(value: string): void {
    const length = value.length;
    this.reserve(length + 1);
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
    const utf8 = accented.get(value) ?? remember(value);
    this.long(utf8.length);
    this.raw(utf8);
  }

  optionalText(value: string | null): void {
    if (value === null) {
      this.byte(0);
      return;
    }
    this.byte(2);
    this.text(value);
  }

  /** A text of one byte a character, without its length. */
  ascii(value: string): void {
    this.reserve(value.length);
    this.length += this.bytes.write(value, this.length, 'latin1');
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

  /** 28 bits each, low ones first; every byte but the last says that more follow. */
  private varint(low: number, middle: number, high = 0): void {
    const bytes = this.bytes;
    let at = this.length;
    let rest = low;
    if (middle > 0 || high > 0) {
      for (let i = 0; i < 4; i++, rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
      rest = middle;
      if (high > 0) {
        for (let i = 0; i < 4; i++, rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
        rest = high;
      }
    }
    for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
    this.length = at;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const bigger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + more));
    this.bytes.copy(bigger, 0, 0, this.length);
    this.bytes = bigger;
  }
}

function remember(value: string): Buffer {
  const utf8 = Buffer.from(value);
  if (accented.size < REMEMBERED) accented.set(value, utf8);
  return utf8;
}
