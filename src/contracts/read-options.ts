import { DecimalReading, readDecimal } from '../domain/decimal.ts';
import { MAX_MONEY_MICROS } from '../domain/money.ts';
import { EARLIEST_EVENT_MICROS, readDate, TimestampReader } from '../domain/timestamp.ts';
import type { ContractField, FieldType } from './contract.ts';
import { type ContractFile, isRecord, type Place } from './contract-file.ts';
import { MAX_ID_CHARACTERS } from './field-plan.ts';

type Options = Pick<ContractField, 'minLength' | 'maxLength' | 'pattern' | 'minimum' | 'maximum'>;
type Bounds = Pick<ContractField, 'minimum' | 'maximum'>;

const TEXT_TYPES: readonly FieldType[] = ['id', 'text', 'host', 'enum', 'currency', 'country'];
/** Digits after the point that a column keeps. */
const SCALES: Readonly<Partial<Record<FieldType, number>>> = { money: 6, rate: 9, integer: 0 };
/** What the standard knows and no record is checked for: said aloud, so that nobody counts on it. */
const UNCHECKED: Readonly<Record<string, string>> = {
  multipleOf: 'is not checked; remove it',
  timezone: 'is not used: times with and without a zone are both taken; remove it',
  defaultTimezone: 'is not used: set feeds.<feed>.time_zone in advertisex.yaml',
};

/** Reads `logicalTypeOptions` into lengths, a pattern and bounds in the unit of the column. */
export function readOptions(file: ContractFile, type: FieldType, options: unknown, place: Place): Options {
  if (!isRecord(options)) return {};
  for (const [name, reason] of Object.entries(UNCHECKED)) {
    if (options[name] !== undefined) file.fault([...place, name], reason);
  }
  if ((type === 'timestamp' || type === 'date') && options['format'] !== undefined) {
    file.fault([...place, 'format'], 'is not used: times are RFC 3339 or epoch numbers, dates are YYYY-MM-DD; remove it');
  }
  if (type === 'boolean') return {};
  return TEXT_TYPES.includes(type) ? readTextOptions(file, type, options, place) : readBounds(file, type, options, place);
}

function readTextOptions(file: ContractFile, type: FieldType, options: Record<string, unknown>, place: Place): Options {
  const { minLength, maxLength, pattern } = options;
  const read: { -readonly [Key in keyof Options]: Options[Key] } = {};
  if (Number.isInteger(minLength)) read.minLength = minLength as number;
  if (Number.isInteger(maxLength)) read.maxLength = maxLength as number;
  if (type === 'id' && (read.maxLength ?? 1) > MAX_ID_CHARACTERS) file.fault([...place, 'maxLength'], `an id has at most ${MAX_ID_CHARACTERS} characters`);
  if ((read.minLength ?? 0) > (read.maxLength ?? Number.POSITIVE_INFINITY)) file.fault([...place, 'minLength'], `is more than maxLength (${read.maxLength})`);
  if (typeof pattern === 'string') {
    try {
      new RegExp(pattern, 'u');
      read.pattern = pattern;
    } catch (error) {
      file.fault([...place, 'pattern'], `is not a regular expression: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (type === 'enum' && (read.pattern !== undefined || read.minLength !== undefined || read.maxLength !== undefined)) {
    file.fault(place, 'an enum is checked by its values alone; remove the options');
    return {};
  }
  return read;
}

function readBounds(file: ContractFile, type: FieldType, options: Record<string, unknown>, place: Place): Bounds {
  const bound = (name: string, step: number): number | undefined => {
    if (options[name] === undefined) return undefined;
    const value = readBound(type, options[name]);
    if (value === undefined) file.fault([...place, name], `expected ${BOUND_FORMS[type]}, not ${String(options[name])}`);
    return value === undefined ? undefined : value + step;
  };
  // Columns hold whole numbers of their unit: more than x is at least x + 1.
  const minimum = larger(bound('minimum', 0), bound('exclusiveMinimum', 1));
  const maximum = smaller(bound('maximum', 0), bound('exclusiveMaximum', -1));
  if ((type === 'money' || type === 'rate') && minimum !== undefined && minimum < 0)
    file.fault(place, `${type} is never negative; expected a minimum of 0 or more`);
  if (type === 'money' && maximum !== undefined && maximum > MAX_MONEY_MICROS) file.fault(place, 'money is at most 8790000; expected a maximum up to that');
  if (type === 'timestamp' && minimum !== undefined && minimum < EARLIEST_EVENT_MICROS)
    file.fault(place, 'times before 2000-01-01 are never taken; expected a later minimum');
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) file.fault(place, 'leaves no value: the minimum is above the maximum');
  return { ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
}

const BOUND_FORMS: Readonly<Partial<Record<FieldType, string>>> = {
  money: 'a number with at most six digits after the point',
  rate: 'a number with at most nine digits after the point',
  integer: 'a whole number',
  timestamp: "a time in quotes like '2026-01-01T00:00:00Z'",
  date: "a date in quotes like '2026-01-01'",
};

function readBound(type: FieldType, value: unknown): number | undefined {
  const into = new Float64Array(1);
  const scale = SCALES[type];
  const bytes = Buffer.from(String(value));
  if (scale !== undefined) {
    return typeof value === 'number' && readDecimal(bytes, 0, bytes.length, scale, into, 0) === DecimalReading.exact ? into[0] : undefined;
  }
  if (typeof value !== 'string') return undefined;
  const read = type === 'date' ? readDate(bytes, 0, bytes.length, into, 0) : new TimestampReader('UTC').read(bytes, 0, bytes.length, into, 0);
  return read ? into[0] : undefined;
}

function larger(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

function smaller(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
