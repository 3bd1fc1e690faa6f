/** Why a record is in quarantine: a closed list, with the sentence the documentation and the command line show for it. */
export const QUARANTINE_CODES = {
  malformed: 'does not decode',
  missing_field: 'a required field is absent',
  wrong_type: 'a field has a kind of value that it cannot have',
  bad_timestamp: 'a time cannot be read',
  timestamp_out_of_range: 'a time lies before 2000-01-01 or more than ten minutes after receipt',
  bad_number: 'a number cannot be read, is negative, or is too large',
  bad_enum: 'a value is not one of the allowed ones',
  bad_id: 'an id is empty, too long, or holds control characters',
  too_large: 'the record is larger than the limit',
  unknown_schema: 'the schema the record names is not known',
  unknown_currency: 'there is no rate for the currency on that day',
  id_conflict: 'another record with the same identity and other content came first',
} as const;
export type QuarantineCode = keyof typeof QUARANTINE_CODES;

/** One broken rule of a contract. */
export interface Violation {
  readonly code: QuarantineCode;
  /** JSON pointer of the field, `''` for the whole record. */
  readonly pointer: string;
  /** A sentence a person can act on. */
  readonly message: string;
}
