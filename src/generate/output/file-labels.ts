import { MICROS_PER_MINUTE } from '../diurnal-curve.ts';

/** What the name of the file says that a minute's arrivals go to. Labels sort like time. */
export type FileLabels = (minute: number) => string;

/** A file for each hour of arrival, and after the last day of traffic, when little comes, one a day. */
export function hourlyLabels(endMicros: number): FileLabels {
  const end = endMicros / MICROS_PER_MINUTE;
  return (minute) => {
    const text = new Date(minute * 60_000).toISOString();
    return `-${minute < end ? text.slice(0, 13) : text.slice(0, 10)}`;
  };
}

/** A fixed number of files with about as many impressions each; what arrives after the last day goes to the last. */
export function numberedLabels(files: number, startMicros: number, countsByMinute: Int32Array): FileLabels {
  if (files === 1) return () => '';
  const start = startMicros / MICROS_PER_MINUTE;
  const total = countsByMinute.reduce((sum, count) => sum + count, 0);
  const numbers = new Int32Array(countsByMinute.length);
  let passed = 0;
  for (let minute = 0; minute < numbers.length; minute++) {
    numbers[minute] = Math.min(files - 1, Math.floor((passed / total) * files));
    passed += countsByMinute[minute] as number;
  }
  return (minute) => `-${String((numbers[minute - start] ?? files - 1) + 1).padStart(5, '0')}`;
}
