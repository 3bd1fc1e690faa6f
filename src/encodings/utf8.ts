import { isUtf8 } from 'node:buffer';

/**
 * Whether records are UTF-8, asked of a whole block first: one native call for hundreds of records. Only in a block that
 * holds a bad byte (rare) is each record asked for itself.
 */
export class Utf8Check {
  private blockIsGood = true;

  /** `final`: no byte follows, so a character cut by the block's end is bad too. */
  startBlock(block: Uint8Array, start: number, end: number, final: boolean): void {
    this.blockIsGood = isUtf8(block.subarray(start, final ? end : endOfWholeCharacters(block, start, end)));
  }

  isGood(block: Uint8Array, start: number, end: number): boolean {
    return this.blockIsGood || isUtf8(block.subarray(start, end));
  }
}

/** A character cut by the block's end belongs to a record that is not finished either: it is asked about with the next block. */
function endOfWholeCharacters(block: Uint8Array, start: number, end: number): number {
  for (let back = 1; back <= 3 && end - back >= start; back++) {
    const byte = block[end - back] as number;
    if (byte >= 0xc0) return end - back;
    if (byte < 0x80) return end;
  }
  return end;
}
