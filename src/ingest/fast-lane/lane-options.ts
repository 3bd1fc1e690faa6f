import type { Contract, NormalisingRules } from '../../contracts/contract.ts';
import type { Contracts } from '../../staging/staged-tables.ts';
import type { CurrencyRate } from '../currency-rates.ts';

/** What decides what a plain record becomes. */
export interface LaneOptions {
  readonly contract: Contract;
  readonly rules: NormalisingRules;
  readonly contracts: Contracts;
  readonly currency: string;
  readonly rates: readonly CurrencyRate[];
  readonly reportingTimeZone: string;
  readonly maxRecordBytes: number;
  /** The lane opens once it has seen so many bytes. */
  readonly worthBytes: number;
}
