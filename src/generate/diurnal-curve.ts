/** Shares of a day's impressions by hour, UTC, as a European and American audience makes them: a low before dawn, a peak in the evening. */
const HOURLY_WEIGHTS = [3.1, 2.5, 2.1, 1.8, 1.7, 1.9, 2.5, 3.3, 4.0, 4.4, 4.6, 4.8, 5.0, 4.9, 4.8, 4.9, 5.1, 5.4, 5.8, 6.2, 6.4, 6.0, 5.0, 3.8];
/** Sunday first. Weekends carry less desktop traffic. */
const WEEKDAY_WEIGHTS = [0.9, 1.02, 1.04, 1.04, 1.03, 1.02, 0.95];

export const MINUTES_PER_DAY = 1440;
export const MICROS_PER_MINUTE = 60_000_000;
export const MICROS_PER_HOUR = 3_600_000_000;
export const MICROS_PER_DAY = 86_400_000_000;

/** How many of `total` events fall in each minute of the days: the curve's shares, rounded so that they sum to the total exactly. */
export function countsByMinute(total: number, startMicros: number, days: number): Int32Array {
  const counts = new Int32Array(days * MINUTES_PER_DAY);
  const weights = minuteWeights(startMicros, days);
  let whole = 0;
  for (const weight of weights) whole += weight;
  let passed = 0;
  let given = 0;
  for (let minute = 0; minute < counts.length; minute++) {
    passed += weights[minute] as number;
    const due = minute === counts.length - 1 ? total : Math.round((total * passed) / whole);
    counts[minute] = due - given;
    given = due;
  }
  return counts;
}

/** The curve by minute, straight lines between the hours. */
function minuteWeights(startMicros: number, days: number): Float64Array {
  const weights = new Float64Array(days * MINUTES_PER_DAY);
  for (let minute = 0; minute < weights.length; minute++) {
    const day = Math.floor(minute / MINUTES_PER_DAY);
    const hourOfDay = (minute % MINUTES_PER_DAY) / 60 - 0.5;
    const before = Math.floor(hourOfDay);
    const low = HOURLY_WEIGHTS[(before + 24) % 24] as number;
    const high = HOURLY_WEIGHTS[(before + 1) % 24] as number;
    const weekday = (Math.floor(startMicros / MICROS_PER_DAY) + day + 4) % 7;
    weights[minute] = (low + (high - low) * (hourOfDay - before)) * (WEEKDAY_WEIGHTS[weekday] as number);
  }
  return weights;
}
