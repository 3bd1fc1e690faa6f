import type { CellKind, CellValue } from '../domain/result-table.ts';

const MICROS = 1_000_000n;
const MICROS_A_DAY = 86_400_000_000n;
const MILLIS_A_DAY = 86_400_000;

/** Kinds whose digits line up on the right. */
export const RIGHT_ALIGNED: ReadonlySet<CellKind> = new Set(['integer', 'count', 'decimal', 'money_micros', 'ratio']);

/** How a person reads it. NULL is a dash: an empty cell would look like an empty text. */
export function formatForPeople(value: CellValue, kind: CellKind): string {
  if (value === null) return '–';
  switch (kind) {
    case 'count':
      return groupDigits(String(value));
    case 'money_micros':
      return formatMoney(BigInt(value));
    case 'ratio':
      return `${(Number(value) * 100).toFixed(2)}%`;
    case 'decimal':
      return formatDecimal(Number(value));
    case 'text':
      return visible(String(value));
    default:
      return formatForPrograms(value, kind);
  }
}

/** How a program reads it: every digit, times in ISO 8601. NULL is up to the format. */
export function formatForPrograms(value: Exclude<CellValue, null>, kind: CellKind): string {
  if (kind === 'timestamp' && typeof value !== 'string') return formatTimestamp(BigInt(value));
  if (kind === 'date' && typeof value !== 'string') return new Date(Number(value) * MILLIS_A_DAY).toISOString().slice(0, 10);
  return String(value);
}

/** `2026-03-01T09:30:00Z`, with as many digits of the second as it has: none, three or six. */
function formatTimestamp(micros: bigint): string {
  const day = micros >= 0n ? micros / MICROS_A_DAY : -((-micros + MICROS_A_DAY - 1n) / MICROS_A_DAY);
  const rest = micros - day * MICROS_A_DAY;
  const seconds = new Date(Number(day) * MILLIS_A_DAY + Number(rest / 1_000n)).toISOString().slice(0, 19);
  const fraction = String(rest % MICROS).padStart(6, '0');
  if (fraction === '000000') return `${seconds}Z`;
  return `${seconds}.${fraction.endsWith('000') ? fraction.slice(0, 3) : fraction}Z`;
}

/** Micros as currency units with two digits, half away from zero; below a cent with all six, so that a CPM price of one view is seen. */
function formatMoney(micros: bigint): string {
  const sign = micros < 0n ? '-' : '';
  const size = micros < 0n ? -micros : micros;
  if (size > 0n && size < 10_000n) return `${sign}0.${String(size).padStart(6, '0')}`;
  const cents = (size + 5_000n) / 10_000n;
  return `${sign}${groupDigits(String(cents / 100n))}.${String(cents % 100n).padStart(2, '0')}`;
}

function formatDecimal(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value !== 0 && (Math.abs(value) < 0.0001 || Math.abs(value) >= 1e15)) return value.toPrecision(6);
  // Two digits line up in a column; what they would show as nothing gets four.
  const [whole = '', fraction = ''] = value.toFixed(value !== 0 && Math.abs(value) < 0.1 ? 4 : 2).split('.');
  return `${groupDigits(whole)}.${fraction}`;
}

function groupDigits(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** A control character from a record must not move the reader's cursor or colour the terminal. */
function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
    return named[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
