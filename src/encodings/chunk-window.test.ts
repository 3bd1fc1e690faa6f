import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkWindow, type RecordScanner } from './chunk-window.ts';

/** Records are lines; remembers them, where they stood, and how many bytes it was shown in all. */
class LineScanner implements RecordScanner {
  readonly lines: string[] = [];
  readonly places: number[] = [];
  shown = 0;

  scan(buffer: Uint8Array, start: number, end: number, final: boolean, base: number): number {
    this.shown += end - start;
    let at = start;
    for (;;) {
      const found = buffer.indexOf(0x0a, at);
      const stop = found >= 0 && found < end ? found : final ? end : -1;
      if (stop < 0 || (final && at >= end)) return at;
      this.lines.push(Buffer.from(buffer.subarray(at, stop)).toString('latin1'));
      this.places.push(base + at);
      at = Math.min(end, stop + 1);
    }
  }
}

function scan(input: Uint8Array, sizes: readonly number[]): LineScanner {
  const scanner = new LineScanner();
  const window = new ChunkWindow(scanner);
  let at = 0;
  for (let i = 0; at < input.length; i++) {
    const size = sizes[i % sizes.length] as number;
    const chunk = new Uint8Array(input.subarray(at, at + size));
    window.push(chunk);
    chunk.fill(0x5a);
    at += size;
  }
  window.end();
  return scanner;
}

describe('a window over chunks', () => {
  it('shows every record whole and in place, whatever the chunks', () => {
    const lines = fc.array(
      fc.oneof(
        fc.string({ maxLength: 20 }),
        fc.integer({ min: 0, max: 30_000 }).map((length) => 'y'.repeat(length)),
      ),
      { maxLength: 30 },
    );
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 20_000 })), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(lines, sizes, (texts, chunkSizes) => {
        const input = Buffer.from(texts.map((text) => text.replaceAll('\n', ' ')).join('\n'));
        const whole = scan(input, [input.length + 1]);
        const seen = scan(input, chunkSizes);
        expect([seen.lines, seen.places]).toEqual([whole.lines, whole.places]);
      }),
    );
  });

  // A record of a megabyte in chunks of a few bytes was read from its start with every chunk: hours of work for one request.
  it.each([1, 7, 100])('reads a large record in chunks of %d bytes a bounded number of times', (size) => {
    const input = Buffer.alloc(1_000_000, 'x');
    expect(scan(input, [size]).shown).toBeLessThan(20 * input.length + 100_000);
  });

  it('reports a record with the chunk that finishes it', () => {
    const scanner = new LineScanner();
    const window = new ChunkWindow(scanner);
    for (let i = 0; i < 1000; i++) {
      window.push(Buffer.from('the first half and '));
      window.push(Buffer.from('the second\n'));
      expect(scanner.lines).toHaveLength(i + 1);
    }
  });

  it('copies only what spans chunks', () => {
    const seen: Uint8Array[] = [];
    const window = new ChunkWindow({
      scan: (buffer, _, end) => {
        seen.push(buffer);
        return end;
      },
    });
    const chunk = new Uint8Array(100);
    window.push(chunk);
    expect(seen[0]).toBe(chunk);
  });
});
