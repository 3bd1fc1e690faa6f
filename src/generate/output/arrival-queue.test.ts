import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrivalQueue, type RecordPlace } from './arrival-queue.ts';

const MINUTE = 60_000_000;

/** Writes down what a file would get. */
class Written implements RecordPlace {
  readonly lines: { minute: number; text: string }[] = [];
  file = 'f';
  private now = -1;
  get recordNumber(): number {
    return this.lines.length;
  }
  minute(minute: number): void {
    this.now = minute;
  }
  append(bytes: Buffer, start: number, end: number): void {
    this.lines.push({ minute: this.now, text: bytes.toString('utf8', start, end) });
  }
}

describe('ArrivalQueue', () => {
  it('hands everything out once, in the order of arrival, and tells each where it stands', () => {
    const record = fc.record({
      minute: fc.nat(5),
      delay: fc.nat(8 * MINUTE),
      text: fc.string({ unit: 'binary-ascii', maxLength: 300 }),
      bytes: fc.boolean(),
      noted: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (records) => {
        const queue = new ArrivalQueue(100);
        const place = new Written();
        const placed: { at: number; text: string }[] = [];
        const expected: { arrival: number; text: string }[] = [];
        for (let minute = 0; minute < 16; minute++) {
          for (const { delay, text, bytes, noted } of records.filter((each) => each.minute === minute)) {
            const arrival = (100 + minute) * MINUTE + delay;
            const note = noted ? { placed: (_: string, at: number) => void placed.push({ at, text }) } : undefined;
            const out = queue.begin(arrival);
            if (bytes) out.raw(Buffer.from(text));
            else out.ascii(text);
            queue.end(note);
            expected.push({ arrival, text });
          }
          queue.release(place);
        }
        expected.sort((a, b) => a.arrival - b.arrival);
        expect(place.lines).toEqual(expected.map(({ arrival, text }) => ({ minute: Math.floor(arrival / MINUTE), text })));
        expect(placed.length).toBe(records.filter(({ noted }) => noted).length);
        for (const { at, text } of placed) expect(place.lines[at]?.text).toBe(text);
      }),
    );
  });

  it('knows the last minute that something waits for', () => {
    const queue = new ArrivalQueue(0);
    expect(queue.lastMinute).toBe(-1);
    for (const [arrival, text] of [
      [7 * MINUTE + 5, 'late'],
      [3 * MINUTE, 'early'],
    ] as const) {
      queue.begin(arrival).ascii(text);
      queue.end();
    }
    expect(queue.lastMinute).toBe(7);
  });
});
