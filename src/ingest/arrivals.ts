import type { Arrival } from '../staging/staged-chunk.ts';

/** What comes this close together counts as one arrival, so that there are at most a hundred a second. */
const SAME_ARRIVAL_MICROS = 10_000;

export function addArrival(arrivals: Arrival[], receivedAtMicros: number, records: number): void {
  if (records === 0) return;
  const last = arrivals.at(-1);
  if (last !== undefined && receivedAtMicros - last.receivedAtMicros < SAME_ARRIVAL_MICROS)
    arrivals[arrivals.length - 1] = { ...last, records: last.records + records };
  else arrivals.push({ receivedAtMicros, records });
}
