import { MICROS_PER_MINUTE } from '../diurnal-curve.ts';

/** What is going to happen, by the minute. */
export class Agenda<T extends { readonly micros: number }> {
  private readonly minutes = new Map<number, T[]>();
  private readonly deadlineMicros: number;
  /** Fell past the end and will not happen. */
  dropped = 0;
  private latest = -1;

  constructor(deadlineMicros: number) {
    this.deadlineMicros = deadlineMicros;
  }

  get lastMinute(): number {
    return this.latest;
  }

  add(event: T): boolean {
    if (event.micros >= this.deadlineMicros) {
      this.dropped++;
      return false;
    }
    const minute = Math.floor(event.micros / MICROS_PER_MINUTE);
    const events = this.minutes.get(minute);
    if (events === undefined) this.minutes.set(minute, [event]);
    else events.push(event);
    if (minute > this.latest) this.latest = minute;
    return true;
  }

  /** The minute's events in the order of time; equal times in the order they were added. */
  take(minute: number): readonly T[] {
    const events = this.minutes.get(minute);
    if (events === undefined) return [];
    this.minutes.delete(minute);
    return events.sort((a, b) => a.micros - b.micros);
  }
}
