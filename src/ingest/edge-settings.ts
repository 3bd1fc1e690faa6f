import type { NormalisingRules } from '../contracts/contract.ts';
import type { Feed } from '../domain/feeds.ts';
import type { Contracts } from '../staging/staged-tables.ts';
import type { CurrencyRate } from './currency-rates.ts';

/** All that decides what records become, the same for every file of a run. Plain data: it goes to workers. */
export interface EdgeSettings {
  readonly contracts: Contracts;
  readonly rules: Readonly<Partial<Record<Feed, NormalisingRules>>>;
  readonly currency: string;
  readonly rates: readonly CurrencyRate[];
  readonly reportingTimeZone: string;
  readonly maxRecordBytes: number;
}
