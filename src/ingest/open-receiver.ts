import { compileContract } from '../contracts/compile-contract.ts';
import type { ContractCheck, NormalisingRules } from '../contracts/contract.ts';
import type { Feed } from '../domain/feeds.ts';
import { contractOf } from '../staging/staged-tables.ts';
import type { EdgeSettings } from './edge-settings.ts';
import { openFastLane } from './fast-lane/fast-lane.ts';
import { type ReceiverOptions, RecordReceiver } from './record-receiver.ts';

/** Fewer bytes of a feed are decoded sooner than its lane has opened. */
const WORTH_A_LANE = 262_144;

export interface FeedReceiver {
  readonly check: ContractCheck;
  readonly receiver: RecordReceiver;
}

/** What takes the records of a feed, under these settings. */
export function openReceiver(feed: Feed, edge: EdgeSettings, onRefused?: ReceiverOptions['onRefused']): FeedReceiver {
  const { contracts, currency, rates, reportingTimeZone, maxRecordBytes } = edge;
  const rules = edge.rules[feed] as NormalisingRules;
  const check = compileContract(contractOf(feed, contracts), rules);
  const fastLane = openFastLane({
    contract: check.contract,
    rules,
    contracts,
    currency,
    rates,
    reportingTimeZone,
    maxRecordBytes,
    worthBytes: WORTH_A_LANE,
  });
  return { check, receiver: new RecordReceiver({ feed, check, contracts, currency, rates, reportingTimeZone, fastLane, onRefused }) };
}
