import type { FieldPath } from '../encodings/decoder.ts';
import type { ContractField } from './contract.ts';

/** The longest id, in Unicode characters. A contract may ask for less, not for more. */
export const MAX_ID_CHARACTERS = 256;

/** How a field is read: a small integer for the switch of the hot loop. */
export const Reader = { id: 0, text: 1, host: 2, enum: 3, letters: 4, money: 5, integer: 6, rate: 7, timestamp: 8, date: 9, boolean: 10 } as const;
export type Reader = (typeof Reader)[keyof typeof Reader];

/** One field with everything its check needs at hand. All plans have one shape, so that the loop over them stays monomorphic. */
export class FieldPlan {
  readonly field: ContractField;
  readonly reader: Reader;
  readonly required: boolean;
  readonly mustBePresent: boolean;
  readonly minLength: number;
  readonly maxLength: number;
  readonly pattern: RegExp | null;
  /** Up to this many bytes nothing can be wrong with a text's length, and it has no pattern: -1 where that can never be said. */
  readonly plainLength: number;
  readonly minimum: number;
  readonly maximum: number;
  /** Enum: the allowed values' bytes, and their lower-case texts for the second look. */
  readonly values: readonly Uint8Array[];
  readonly lowerValues: readonly string[];
  /** Country and currency: how many letters, and where capitals are written where they were not. */
  readonly letters: number;
  readonly capitals: Uint8Array;

  constructor(field: ContractField) {
    this.field = field;
    this.reader = readerOf(field);
    this.required = field.required;
    this.mustBePresent = field.mustBePresent;
    this.minLength = field.minLength ?? (field.type === 'id' ? 1 : 0);
    this.maxLength = field.type === 'id' ? Math.min(field.maxLength ?? MAX_ID_CHARACTERS, MAX_ID_CHARACTERS) : (field.maxLength ?? Number.MAX_SAFE_INTEGER);
    this.pattern = field.pattern === undefined ? null : new RegExp(field.pattern, 'u');
    this.plainLength = this.pattern === null && this.minLength <= (field.type === 'id' ? 1 : 0) ? this.maxLength : -1;
    this.minimum = field.minimum ?? Number.NEGATIVE_INFINITY;
    this.maximum = field.maximum ?? Number.POSITIVE_INFINITY;
    this.values = (field.values ?? []).map((value) => new Uint8Array(Buffer.from(value, 'utf8')));
    this.lowerValues = (field.values ?? []).map((value) => value.toLowerCase());
    this.letters = field.type === 'country' ? 2 : 3;
    this.capitals = new Uint8Array(3);
  }
}

/** The names a field may arrive under, the contract's own first. */
export function pathsOf(field: ContractField): FieldPath {
  return { paths: [field.name, ...field.aliases].map((name) => name.split('.')) };
}

function readerOf(field: ContractField): Reader {
  return field.type === 'country' || field.type === 'currency' ? Reader.letters : Reader[field.type];
}
