/**
 * The models of a batch, in the order they run: each reads only what stands before it, and what earlier batches left.
 * A step that reads staged records of one kind alone is left out where a batch has none of them.
 */
export interface Step {
  readonly model: string;
  /** Staged tables of which the batch must bring at least one. */
  readonly onlyWith?: readonly string[];
}

/** Stands among the staged tables of a rebuild, which has none. */
export const REBUILD = 'rebuild';

const EVENTS = ['impressions', 'clicks', 'conversions', 'bid_requests'] as const;
const REFERENCE = ['campaigns', 'creatives', 'users', 'currency_rates'] as const;

export const IDENTIFY_STEPS: readonly Step[] = [
  { model: 'identify/staged_identities' },
  { model: 'identify/suspects' },
  { model: 'identify/verdicts' },
  { model: 'identify/rejected' },
  { model: 'identify/identities', onlyWith: EVENTS },
];

export const REFERENCE_STEPS: readonly Step[] = [
  { model: 'reference/reference_verdicts' },
  { model: 'reference/campaigns', onlyWith: ['campaigns'] },
  { model: 'reference/creatives', onlyWith: ['creatives'] },
  { model: 'reference/users', onlyWith: ['users'] },
  { model: 'reference/currency_rates', onlyWith: ['currency_rates'] },
].map((step) => ({ onlyWith: REFERENCE, ...step }));

/** From accepted records to figures; also what a rebuild runs, with nothing staged. */
export const DERIVE_STEPS: readonly Step[] = [
  { model: 'resolve/creative_periods' },
  { model: 'resolve/impressions', onlyWith: ['impressions'] },
  { model: 'resolve/reresolved_impressions', onlyWith: ['creatives', REBUILD] },
  { model: 'resolve/retract_impressions', onlyWith: ['creatives', REBUILD] },
  { model: 'resolve/restate_impressions', onlyWith: ['creatives', REBUILD] },
  { model: 'resolve/changed_impressions' },
  { model: 'resolve/conversions', onlyWith: ['conversions'] },
  { model: 'resolve/bid_requests', onlyWith: ['bid_requests'] },
  { model: 'clicks/new_clicks' },
  { model: 'clicks/click_pairs' },
  { model: 'clicks/judged_clicks' },
  { model: 'clicks/click_seeds' },
  { model: 'clicks/click_chain' },
  { model: 'clicks/valid_clicks' },
  { model: 'clicks/click_verdicts' },
  { model: 'clicks/clicks_to_match' },
  { model: 'clicks/click_matches' },
  { model: 'clicks/restated_clicks' },
  { model: 'clicks/retract_clicks' },
  { model: 'clicks/restate_clicks' },
  { model: 'clicks/clicks', onlyWith: ['clicks'] },
  { model: 'clicks/changed_clicks' },
  { model: 'attribute/changed_touches' },
  { model: 'attribute/conversions_to_attribute' },
  { model: 'attribute/match_scopes' },
  { model: 'attribute/scoped_touches' },
  { model: 'attribute/eligible_touches' },
  { model: 'attribute/time_decay_weights' },
  { model: 'attribute/touch_weights' },
  { model: 'attribute/touch_credits' },
  { model: 'attribute/new_attribution' },
  { model: 'attribute/restated_conversions' },
  { model: 'attribute/retract_attribution' },
  { model: 'attribute/attribution' },
  { model: 'attribute/changed_attribution' },
  { model: 'gold/campaign_hourly' },
  { model: 'gold/creative_daily' },
  { model: 'gold/website_daily' },
  { model: 'gold/auction_daily', onlyWith: ['bid_requests'] },
];

export const QUARANTINE_STEPS: readonly Step[] = [{ model: 'quarantine/quarantine', onlyWith: ['quarantine'] }];
