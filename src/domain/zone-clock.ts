/**
 * What clocks in an IANA zone show, from the time zone data of the runtime (Intl), cached because Intl takes microseconds an answer.
 *
 * The cache holds quarter hours: nearly all zones change their clocks at one. Some do not (St John's changed at 00:01 until 2011,
 * Gaza in 2010-2012), so a quarter counts as uniform only where both its ends agree, and others are asked for anew each time.
 */

const QUARTER_SECONDS = 900;
const CACHED_QUARTERS = 8_192;
/** Wide enough to lie before and after any change of clocks that a wall time can be near (offsets reach from -12 to +14 hours). */
const SEARCH_SECONDS = 15 * 3_600;
/** Years before 1 have other names in Intl; nothing this far back is ever in range. */
const EARLIEST_SECONDS = -62_000_000_000;

type OffsetOf = (seconds: number) => number;

export class ZoneClock {
  readonly zone: string;
  readonly isUtc: boolean;
  readonly #format: Intl.DateTimeFormat;
  readonly #byInstant = new QuarterCache((seconds) => this.#readOffset(seconds));
  readonly #byWallTime = new QuarterCache((seconds) => this.#readWallOffset(seconds));

  /** Throws a RangeError where the zone is not known. */
  constructor(zone: string) {
    this.zone = zone;
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    this.isUtc = ['UTC', 'Etc/UTC'].includes(this.#format.resolvedOptions().timeZone);
  }

  /** Seconds to add to UTC at a moment, in whole seconds since 1970, to get the wall time. */
  offsetAt(utcSeconds: number): number {
    return this.isUtc ? 0 : this.#byInstant.get(utcSeconds);
  }

  /**
   * Seconds to take from a wall time, in seconds since 1970 as if it were UTC, to get the moment. As java.time does it: a wall time that
   * the clocks showed twice is the earlier moment, one that they skipped is moved on by what was skipped. Both mean the offset
   * before the change.
   */
  offsetOfWallTime(wallSeconds: number): number {
    return this.isUtc ? 0 : this.#byWallTime.get(wallSeconds);
  }

  #readOffset(utcSeconds: number): number {
    const seconds = Math.max(utcSeconds, EARLIEST_SECONDS);
    const wall = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    for (const part of this.#format.formatToParts(seconds * 1_000)) {
      if (part.type in wall) wall[part.type as keyof typeof wall] = Number(part.value);
    }
    return Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second) / 1_000 - seconds;
  }

  #readWallOffset(wallSeconds: number): number {
    const before = this.offsetAt(wallSeconds - SEARCH_SECONDS);
    const after = this.offsetAt(wallSeconds + SEARCH_SECONDS);
    if (before === after || this.offsetAt(wallSeconds - before) === before) return before;
    return this.offsetAt(wallSeconds - after) === after ? after : before;
  }
}

class QuarterCache {
  readonly #quarters = new Float64Array(CACHED_QUARTERS).fill(Number.NaN);
  readonly #offsets = new Int32Array(CACHED_QUARTERS);
  readonly #read: OffsetOf;

  constructor(read: OffsetOf) {
    this.#read = read;
  }

  get(seconds: number): number {
    const quarter = Math.floor(seconds / QUARTER_SECONDS);
    const place = quarter & (CACHED_QUARTERS - 1);
    return this.#quarters[place] === quarter ? (this.#offsets[place] as number) : this.#find(seconds, quarter, place);
  }

  #find(seconds: number, quarter: number, place: number): number {
    const first = this.#read(quarter * QUARTER_SECONDS);
    const last = this.#read((quarter + 1) * QUARTER_SECONDS - 1);
    if (first !== last) return this.#read(seconds);
    this.#quarters[place] = quarter;
    this.#offsets[place] = first;
    return first;
  }
}
