/**
 * The spellings of a time that records may use (SEMANTICS §3). A time is cut to what its form can say before anything is
 * decided by it, so that the truth and the files agree.
 */
export type TimeForm =
  | 'millis'
  | 'micros'
  | 'seconds'
  | 'offset'
  | 'space'
  | 'noZone'
  | 'nanos'
  | 'lowerCase'
  | 'epochSeconds'
  | 'epochMillis'
  | 'epochMicros'
  | 'epochDecimal';

/** All but the usual one. */
export const ODD_TIME_FORMS: readonly TimeForm[] = [
  'micros',
  'seconds',
  'offset',
  'space',
  'noZone',
  'nanos',
  'lowerCase',
  'epochSeconds',
  'epochMillis',
  'epochMicros',
  'epochDecimal',
];

const PADDED_2: readonly string[] = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'));
const PADDED_3: readonly string[] = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));
const OFFSET_MICROS = 2 * 3_600_000_000;

/** The time that remains when the form has dropped what it cannot say. */
export function cutTo(form: TimeForm, micros: number): number {
  switch (form) {
    case 'micros':
    case 'nanos':
    case 'epochMicros':
      return micros;
    case 'seconds':
    case 'epochSeconds':
      return micros - (micros % 1_000_000);
    default:
      return micros - (micros % 1000);
  }
}

/** Written as a bare number in JSON and as digits elsewhere. */
export function isNumberForm(form: TimeForm): boolean {
  return form === 'epochSeconds' || form === 'epochMillis' || form === 'epochMicros' || form === 'epochDecimal';
}

export function spellTime(form: TimeForm, micros: number): string {
  switch (form) {
    case 'millis':
      return `${upToSeconds(micros)}.${PADDED_3[Math.floor((micros % 1_000_000) / 1000)]}Z`;
    case 'micros':
      return `${upToSeconds(micros)}.${microsOf(micros)}Z`;
    case 'nanos':
      return `${upToSeconds(micros)}.${microsOf(micros)}500Z`;
    case 'seconds':
      return `${upToSeconds(micros)}Z`;
    case 'offset':
      return `${upToSeconds(micros + OFFSET_MICROS)}.${PADDED_3[Math.floor((micros % 1_000_000) / 1000)]}+02:00`;
    case 'space':
      return `${upToSeconds(micros).replace('T', ' ')}.${PADDED_3[Math.floor((micros % 1_000_000) / 1000)]}Z`;
    case 'noZone':
      return `${upToSeconds(micros)}.${PADDED_3[Math.floor((micros % 1_000_000) / 1000)]}`;
    case 'lowerCase':
      return `${upToSeconds(micros).toLowerCase()}.${PADDED_3[Math.floor((micros % 1_000_000) / 1000)]}z`;
    case 'epochSeconds':
      return String(micros / 1_000_000);
    case 'epochMillis':
      return String(micros / 1000);
    case 'epochMicros':
      return String(micros);
    case 'epochDecimal':
      return `${Math.floor(micros / 1_000_000)}.${PADDED_3[Math.floor((micros % 1_000_000) / 1000)]}`;
  }
}

function microsOf(micros: number): string {
  const rest = micros % 1_000_000;
  return (PADDED_3[Math.floor(rest / 1000)] as string) + (PADDED_3[rest % 1000] as string);
}

// Records are written about in the order of time: the text of the minute is nearly always the one just used.
let cachedMinute = Number.NaN;
let cachedText = '';

/** `2026-03-01T12:34:56` */
function upToSeconds(micros: number): string {
  const minute = Math.floor(micros / 60_000_000);
  if (minute !== cachedMinute) {
    cachedMinute = minute;
    cachedText = new Date(minute * 60_000).toISOString().slice(0, 17);
  }
  return cachedText + (PADDED_2[Math.floor((micros - minute * 60_000_000) / 1_000_000)] as string);
}
