/** Finds records in consecutive bytes of a stream. */
export interface RecordScanner {
  /**
   * Reports every finished record in `buffer[start, end)` and returns where the first unfinished one starts: those bytes
   * come again, with more behind them. `final`: nothing comes any more. `base`: place of `buffer[0]` in the stream.
   */
  scan(buffer: Uint8Array, start: number, end: number, final: boolean, base: number): number;
}

/** How often a byte of an unfinished record may be read again: bounds the work when a large record comes in tiny chunks. */
const RESCANS_PER_BYTE = 16;
const INITIAL_BUDGET = 1 << 16;
const LARGEST_BUDGET = 1 << 22;
const SMALLEST_PIECE = 4096;

/**
 * Cuts a stream of chunks into windows that a scanner can read in place. Whole records are read where they lie; only a
 * record that spans chunks is copied together, with as little of the next chunk as finishes it.
 */
export class ChunkWindow {
  private readonly scanner: RecordScanner;
  private carry = new Uint8Array(SMALLEST_PIECE);
  private carryStart = 0;
  private carryEnd = 0;
  /** Place in the stream of the first byte that was not pushed yet. */
  private pushed = 0;
  private budget = INITIAL_BUDGET;

  constructor(scanner: RecordScanner) {
    this.scanner = scanner;
  }

  /** Place in the stream of the first byte that is to come again. */
  get open(): number {
    return this.pushed - (this.carryEnd - this.carryStart);
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    // A Buffer and a Uint8Array are two shapes to the compiler: the scanners only ever see one.
    const chunk = bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.budget = Math.min(LARGEST_BUDGET, this.budget + RESCANS_PER_BYTE * chunk.length);
    const taken = this.carryStart === this.carryEnd ? 0 : this.finishCarried(chunk);
    if (taken < chunk.length) {
      const open = this.scanner.scan(chunk, taken, chunk.length, false, this.pushed);
      this.carryStart = 0;
      this.carryEnd = 0;
      this.append(chunk, open, chunk.length);
    }
    this.pushed += chunk.length;
  }

  /** Another stream begins. */
  restart(): void {
    this.carryStart = 0;
    this.carryEnd = 0;
    this.pushed = 0;
    this.budget = INITIAL_BUDGET;
  }

  end(): void {
    this.scanner.scan(this.carry, this.carryStart, this.carryEnd, true, this.pushed - this.carryEnd);
    this.carryStart = this.carryEnd;
  }

  /** Adds to the carried record, piece by piece, until the open record lies wholly in the chunk; returns where in the chunk. */
  private finishCarried(chunk: Uint8Array): number {
    let taken = 0;
    let piece = firstPiece(chunk);
    while (taken < chunk.length) {
      const next = Math.min(chunk.length, taken + piece);
      this.append(chunk, taken, next);
      piece = Math.max(SMALLEST_PIECE, piece * 2);
      taken = next;
      const carried = this.carryEnd - this.carryStart;
      if (this.budget < carried) continue;
      this.budget -= carried;
      this.carryStart = this.scanner.scan(this.carry, this.carryStart, this.carryEnd, false, this.pushed + next - this.carryEnd);
      const open = this.carryEnd - this.carryStart;
      if (open <= next) {
        this.carryStart = this.carryEnd;
        return next - open;
      }
    }
    return taken;
  }

  private append(chunk: Uint8Array, start: number, end: number): void {
    const added = end - start;
    const held = this.carryEnd - this.carryStart;
    if (this.carryEnd + added > this.carry.length) {
      const roomy = held + added > this.carry.length ? new Uint8Array(Math.max(held + added, 2 * this.carry.length)) : this.carry;
      roomy.set(this.carry.subarray(this.carryStart, this.carryEnd));
      this.carry = roomy;
      this.carryStart = 0;
      this.carryEnd = held;
    }
    this.carry.set(chunk.subarray(start, end), this.carryEnd);
    this.carryEnd += added;
  }
}

/** Up to the first line break, where a record of a line ends. */
function firstPiece(chunk: Uint8Array): number {
  const lineBreak = chunk.indexOf(0x0a);
  return lineBreak >= 0 && lineBreak < 16 * SMALLEST_PIECE ? lineBreak + 1 : SMALLEST_PIECE;
}
