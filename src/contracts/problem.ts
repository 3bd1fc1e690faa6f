import { formatDay } from '../domain/calendar.ts';
import type { QuarantineCode, Violation } from '../domain/outcome.ts';
import { ValueKind } from '../encodings/record-slots.ts';
import type { ContractField, FieldType } from './contract.ts';
import { showValue } from './show-value.ts';

/** What can be wrong with one value: small integers on the hot path, words only once something is wrong. */
export const Problem = {
  none: 0,
  missing: 1,
  notThere: 2,
  wrongKind: 3,
  notInteger: 4,
  empty: 5,
  tooShort: 6,
  tooLong: 7,
  controlCharacter: 8,
  pattern: 9,
  notHost: 10,
  notAllowed: 11,
  notLetters: 12,
  notBoolean: 13,
  notNumber: 14,
  negative: 15,
  tooLarge: 16,
  tooPrecise: 17,
  belowMinimum: 18,
  aboveMaximum: 19,
  notTimestamp: 20,
  notDate: 21,
  tooEarly: 22,
  tooLate: 23,
} as const;
export type Problem = (typeof Problem)[keyof typeof Problem];

/** The value that a problem was found with. */
export interface RefusedValue {
  readonly kind: ValueKind;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export function describeProblem(problem: Problem, field: ContractField, refused: RefusedValue): Violation {
  return { code: codeOf(problem, field.type), pointer: field.pointer, message: `${field.name} ${sentence(problem, field, refused)}` };
}

function codeOf(problem: Problem, type: FieldType): QuarantineCode {
  switch (problem) {
    case Problem.missing:
    case Problem.notThere:
      return 'missing_field';
    case Problem.empty:
    case Problem.controlCharacter:
    case Problem.notHost:
      return 'bad_id';
    case Problem.tooShort:
    case Problem.tooLong:
    case Problem.pattern:
      return type === 'id' ? 'bad_id' : 'wrong_type';
    case Problem.notAllowed:
    case Problem.notLetters:
      return 'bad_enum';
    case Problem.notNumber:
    case Problem.negative:
    case Problem.tooLarge:
    case Problem.tooPrecise:
      return 'bad_number';
    case Problem.belowMinimum:
    case Problem.aboveMaximum:
      return type === 'timestamp' || type === 'date' ? 'timestamp_out_of_range' : 'bad_number';
    case Problem.notTimestamp:
    case Problem.notDate:
      return 'bad_timestamp';
    case Problem.tooEarly:
    case Problem.tooLate:
      return 'timestamp_out_of_range';
    default:
      return 'wrong_type';
  }
}

function sentence(problem: Problem, field: ContractField, refused: RefusedValue): string {
  const value = showValue(refused.bytes, refused.start, refused.end);
  switch (problem) {
    case Problem.missing:
      return refused.kind === ValueKind.absent ? 'is required but is not there' : `is required but is empty${value === '""' ? '' : ` (${value} means absent)`}`;
    case Problem.notThere:
      return 'must be there, though it may be empty: add the column or the key';
    case Problem.wrongKind:
      return `must be ${EXPECTED[field.type]}, not ${KIND_NAMES[refused.kind]}${refused.kind === ValueKind.nested ? '' : ` (${value})`}`;
    case Problem.notInteger:
      return `must be text or a whole number, not ${value}: send it as text`;
    case Problem.empty:
      return 'is empty: an id has 1 to 256 characters';
    case Problem.tooShort:
      return `has fewer than ${field.minLength ?? 1} characters: ${value}`;
    case Problem.tooLong:
      return `has more than ${field.maxLength ?? 256} characters: ${value}`;
    case Problem.controlCharacter:
      return `holds a control character: ${value}`;
    case Problem.pattern:
      return `does not match ${field.pattern}: ${value}`;
    case Problem.notHost:
      return `holds no host name of 1 to 253 bytes without spaces: ${value}`;
    case Problem.notAllowed:
      return `must be one of ${(field.values ?? []).join(', ')}, not ${value}`;
    case Problem.notLetters:
      return `must be ${EXPECTED[field.type]}, not ${value}`;
    case Problem.notBoolean:
      return `must be true, false, 1 or 0, not ${value}`;
    case Problem.notNumber:
      return `must be ${EXPECTED[field.type]}, not ${value}`;
    case Problem.negative:
      return `must not be negative: ${value}`;
    case Problem.tooLarge:
      return `is too large (at most ${LARGEST[field.type] ?? ''}): ${value}`;
    case Problem.tooPrecise:
      return field.type === 'rate' ? `has more than nine digits after the point: ${value}` : `must be a whole number, not ${value}`;
    case Problem.belowMinimum:
      return `must be at least ${showBound(field.type, field.minimum)}: ${value}`;
    case Problem.aboveMaximum:
      return `must be at most ${showBound(field.type, field.maximum)}: ${value}`;
    case Problem.notTimestamp:
      return `must be an RFC 3339 time (2026-03-14T09:26:53Z) or epoch seconds, milliseconds or microseconds, not ${value}`;
    case Problem.notDate:
      return `must be a date like 2026-03-14, not ${value}`;
    case Problem.tooEarly:
      return `lies before 2000-01-01: ${value}`;
    case Problem.tooLate:
      return `lies more than ten minutes after the moment of receipt: ${value}`;
    default:
      return `is not right: ${value}`;
  }
}

const EXPECTED: Readonly<Record<FieldType, string>> = {
  id: 'an id',
  text: 'text',
  host: 'a website or host name',
  enum: 'one of the allowed words',
  currency: 'a currency code of three letters',
  country: 'a country code of two letters',
  money: 'an amount like 12.50',
  integer: 'a whole number',
  timestamp: 'a time',
  date: 'a date like 2026-03-14',
  boolean: 'true or false',
  rate: 'a rate like 1.0845',
};

const LARGEST: Readonly<Partial<Record<FieldType, string>>> = {
  money: '8,790,000 currency units',
  integer: '9,007,199,254,740,992 either side of zero',
  rate: '9,007,199',
};

const KIND_NAMES: Readonly<Record<ValueKind, string>> = {
  [ValueKind.absent]: 'nothing',
  [ValueKind.null]: 'null',
  [ValueKind.text]: 'text',
  [ValueKind.number]: 'a number',
  [ValueKind.boolean]: 'a boolean',
  [ValueKind.nested]: 'an object or array',
  [ValueKind.micros]: 'a time',
};

/** A bound as the contract's author wrote it: in currency units, not micros. */
export function showBound(type: FieldType, bound: number | undefined): string {
  if (bound === undefined) return '';
  switch (type) {
    case 'money':
      return String(bound / 1e6);
    case 'rate':
      return String(bound / 1e9);
    case 'timestamp':
      return new Date(bound / 1_000).toISOString();
    case 'date':
      return formatDay(bound);
    default:
      return String(bound);
  }
}
