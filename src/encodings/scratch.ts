/**
 * Bytes a decoder writes itself (unescaped text, digits of an Avro long) while it reads one record. When it is full a
 * new buffer takes its place: what the record's slots already point at stays as it is.
 */
export class Scratch {
  bytes = new Uint8Array(1024);
  used = 0;

  /** Forgets the last record's bytes. */
  reset(): void {
    this.used = 0;
  }

  /** Makes sure that `length` bytes fit at `bytes[used…]`. */
  reserve(length: number): void {
    if (this.bytes.length - this.used >= length) return;
    this.bytes = new Uint8Array(Math.max(length, this.bytes.length * 2));
    this.used = 0;
  }
}
