import { MICROS_PER_MINUTE } from '../diurnal-curve.ts';
import { AvroWriter } from '../records/avro-writer.ts';

/** Told where a record came to stand. What the truth wants to know of it hangs on this. */
export interface Placed {
  placed(file: string, record: number): void;
}

/** Takes the records of a feed in the order of arrival. */
export interface RecordPlace {
  /** What arrives from now on arrives at this minute. */
  minute(minute: number): void;
  append(bytes: Buffer, start: number, end: number): void;
  /** Where the next record will stand. */
  readonly file: string;
  readonly recordNumber: number;
}

/**
 * Records between their making and their arrival: a bucket for each minute of arrival, rendered already, so that what waits
 * for days (two in a thousand) costs its bytes and no more. Nearly everything arrives in the minute it happens in: that
 * minute's bucket is large and used again and again, the others are small.
 */
export class ArrivalQueue {
  private readonly current = new Bucket();
  private readonly waiting = new Map<number, Bucket>();
  private minute: number;
  private latest = -1;
  private open = this.current;
  private offset = 0;

  constructor(firstMinute: number) {
    this.minute = firstMinute;
  }

  /** Where to write the record that arrives then, all of it, before `end`. */
  begin(arrivalMicros: number): AvroWriter {
    this.open = this.bucketAt(arrivalMicros);
    this.offset = arrivalMicros % MICROS_PER_MINUTE;
    return this.open.out;
  }

  end(note?: Placed): void {
    this.open.close(this.offset, note);
  }

  /** The last minute that anything waits for. */
  get lastMinute(): number {
    return this.latest;
  }

  /** Writes what arrives in the current minute and goes on to the next one. */
  release(place: RecordPlace): void {
    if (!this.current.empty) {
      place.minute(this.minute);
      this.current.writeTo(place);
      this.current.clear();
    }
    this.minute++;
    const next = this.waiting.get(this.minute);
    if (next === undefined) return;
    this.waiting.delete(this.minute);
    this.current.absorb(next);
  }

  private bucketAt(arrivalMicros: number): Bucket {
    const minute = Math.floor(arrivalMicros / MICROS_PER_MINUTE);
    if (minute === this.minute) return this.current;
    let bucket = this.waiting.get(minute);
    if (bucket === undefined) {
      bucket = new Bucket();
      this.waiting.set(minute, bucket);
      if (minute > this.latest) this.latest = minute;
    }
    return bucket;
  }
}

/** 2²⁴ records a minute and feed; a minute has fewer than 2²⁶ microseconds, so both fit a double. */
const MOST_RECORDS = 2 ** 24;

class Bucket {
  readonly out = new AvroWriter(1024);
  private count = 0;
  private ends = new Int32Array(16);
  private offsets = new Float64Array(16);
  private readonly notes = new Map<number, Placed>();

  get empty(): boolean {
    return this.count === 0;
  }

  absorb(other: Bucket): void {
    for (let i = 0; i < other.count; i++) {
      this.out.rawRange(other.out.bytes, i === 0 ? 0 : (other.ends[i - 1] as number), other.ends[i] as number);
      this.close(other.offsets[i] as number, other.notes.get(i));
    }
  }

  writeTo(place: RecordPlace): void {
    const order = new Float64Array(this.count);
    for (let i = 0; i < this.count; i++) order[i] = (this.offsets[i] as number) * MOST_RECORDS + i;
    order.sort();
    for (const key of order) {
      const i = key % MOST_RECORDS;
      if (this.notes.size > 0) this.notes.get(i)?.placed(place.file, place.recordNumber);
      place.append(this.out.bytes, i === 0 ? 0 : (this.ends[i - 1] as number), this.ends[i] as number);
    }
  }

  clear(): void {
    this.out.clear();
    this.count = 0;
    this.notes.clear();
  }

  close(offset: number, note: Placed | undefined): void {
    if (this.count === this.ends.length) {
      this.ends = grown(this.ends, new Int32Array(this.count * 2));
      this.offsets = grown(this.offsets, new Float64Array(this.count * 2));
    }
    if (note !== undefined) this.notes.set(this.count, note);
    this.ends[this.count] = this.out.length;
    this.offsets[this.count] = offset;
    this.count++;
  }
}

function grown<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
