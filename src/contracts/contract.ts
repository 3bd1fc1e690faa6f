import type { Feed } from '../domain/feeds.ts';
import type { Violation } from '../domain/outcome.ts';
import type { FieldPath } from '../encodings/decoder.ts';
import type { RecordSlots } from '../encodings/record-slots.ts';

/**
 * What a field holds, which decides how it is normalised (SEMANTICS §3) and the type of its column:
 * id, text, host, enum, currency, country → VARCHAR · money (decimal currency units → micros), integer → BIGINT ·
 * timestamp → TIMESTAMP · date → DATE · boolean → BOOLEAN · rate (decimal → 10⁻⁹) → BIGINT.
 */
export const FIELD_TYPES = ['id', 'text', 'host', 'enum', 'currency', 'country', 'money', 'integer', 'timestamp', 'date', 'boolean', 'rate'] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** One field of a contract, read from its ODCS file. */
export interface ContractField {
  /** Dotted path in the contract: `auction.user_id`. */
  readonly name: string;
  /** JSON pointer: `/auction/user_id`. */
  readonly pointer: string;
  /** Other names it may arrive under, dotted. */
  readonly aliases: readonly string[];
  /** Column of the table it is stored in: `user_id`, `price_cpm_micros`. */
  readonly column: string;
  readonly type: FieldType;
  /** Absent or null breaks the contract. */
  readonly required: boolean;
  /** The field must be there, though it may be empty (`campaign_id` of clicks and conversions). */
  readonly mustBePresent: boolean;
  /** Enum: allowed values, as they are stored. */
  readonly values?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  /** Inclusive bounds, in the unit of the column (micros, integer). */
  readonly minimum?: number;
  readonly maximum?: number;
  /** For people: what the contract says of the field, and values it must accept. */
  readonly description?: string;
  readonly examples?: readonly ExampleValue[];
}

export type ExampleValue = string | number | boolean | null;

export interface Contract {
  readonly feed: Feed;
  readonly version: string;
  readonly fields: readonly ContractField[];
  /** The file it was read from, for messages. */
  readonly path: string;
}

/** A record's values after normalising, one slot a field, in contract order. Reused for every record. */
export interface NormalisedRecord {
  /** 0: null · 1: there. */
  readonly present: Uint8Array;
  /** Text types: UTF-8 bytes `buffers[i].subarray(starts[i], ends[i])`. */
  readonly buffers: Uint8Array[];
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Other types: timestamp in microseconds, date in days since 1970, money in micros, boolean 0 or 1, rate in 10⁻⁹. Always a safe integer. */
  readonly numbers: Float64Array;
  /** Every broken rule, in field order. */
  readonly violations: Violation[];
}

/** A contract compiled for speed. Stateless but for its scratch space: one instance a worker. */
export interface ContractCheck {
  readonly contract: Contract;
  /** For the decoder, index for index with `contract.fields`. */
  readonly paths: readonly FieldPath[];
  /** Normalises and checks one record; true when no rule is broken. `result` holds the values and violations until the next call. */
  check(slots: RecordSlots, receivedAtMicros: number): boolean;
  readonly result: NormalisedRecord;
}

export interface NormalisingRules {
  /** Texts that mean absent. */
  readonly nullSpellings: readonly string[];
  /** IANA zone of timestamps without one. */
  readonly timeZone: string;
}
