/**
 * The models of a batch, in the order they run: each reads only what stands before it, and what earlier batches left. Work views are
 * made when a step reads them first.
 * A step is left out where none of the tables that it starts from got rows.
 */
export interface Step {
  readonly model: string;
  /** Tables of which at least one must have got rows in this batch: staged ones, by their names, work tables, stored ones. Absent: always. */
  readonly onlyWith?: readonly string[];
  /** What it made for an earlier batch holds until it runs again: it has no other inputs. */
  readonly isKept?: boolean;
}

/** Stands among the tables with rows in a rebuild, which has no staged ones. */
export const REBUILD = 'rebuild';
/** Stand there where runs of identities are asked by their filters, and where there are any to search at all. */
export const FILTERED_RUNS = 'filtered runs';
export const SEARCHED_RUNS = 'searched runs';

export const EVENTS = ['impressions', 'clicks', 'conversions', 'bid_requests'] as const;
const REFERENCE = ['campaigns', 'creatives', 'users', 'currency_rates'] as const;

export const IDENTIFY_STEPS: readonly Step[] = [
  { model: 'identify/key_hits', onlyWith: [FILTERED_RUNS] },
  { model: 'identify/held', onlyWith: [SEARCHED_RUNS] },
  { model: 'identify/suspects', onlyWith: EVENTS },
  { model: 'identify/verdicts', onlyWith: ['suspects'] },
  { model: 'identify/rejected', onlyWith: ['verdicts'] },
  { model: 'identify/identities', onlyWith: EVENTS },
];

/** For each complete run without a filter. */
export const FILTER_STEPS: readonly Step[] = [{ model: 'identify/key_filters' }];

export const REFERENCE_STEPS: readonly Step[] = [
  { model: 'reference/reference_verdicts' },
  { model: 'reference/campaigns', onlyWith: ['campaigns'] },
  { model: 'reference/creatives', onlyWith: ['creatives'] },
  { model: 'reference/users', onlyWith: ['users'] },
  { model: 'reference/currency_rates', onlyWith: ['currency_rates'] },
].map((step) => ({ onlyWith: REFERENCE, ...step }));

/** From accepted records to figures; also what a rebuild runs, with nothing staged. */
export const DERIVE_STEPS: readonly Step[] = [
  { model: 'resolve/creative_periods', onlyWith: ['creatives'], isKept: true },
  { model: 'resolve/impressions', onlyWith: ['impressions'] },
  { model: 'resolve/exposures', onlyWith: ['impressions'] },
  { model: 'resolve/reresolved_impressions', onlyWith: ['creatives', REBUILD] },
  { model: 'resolve/retract_impressions', onlyWith: ['reresolved_impressions'] },
  { model: 'resolve/restate_impressions', onlyWith: ['reresolved_impressions'] },
  { model: 'resolve/restate_exposures', onlyWith: ['reresolved_impressions'] },
  { model: 'resolve/conversions', onlyWith: ['conversions'] },
  { model: 'resolve/bid_requests', onlyWith: ['bid_requests'] },
  { model: 'clicks/new_clicks', onlyWith: ['clicks'] },
  { model: 'clicks/click_pairs', onlyWith: ['new_clicks', REBUILD] },
  { model: 'clicks/judged_clicks', onlyWith: ['click_pairs'] },
  { model: 'clicks/click_seeds', onlyWith: ['click_pairs'] },
  { model: 'clicks/click_chain', onlyWith: ['judged_clicks'] },
  { model: 'clicks/valid_clicks', onlyWith: ['click_chain'] },
  { model: 'clicks/click_verdicts', onlyWith: ['judged_clicks'] },
  { model: 'clicks/clicks_to_match', onlyWith: ['new_clicks', 'store.exposures', REBUILD] },
  { model: 'clicks/click_matches', onlyWith: ['clicks_to_match'] },
  { model: 'clicks/restated_clicks', onlyWith: ['click_verdicts', 'click_matches'] },
  { model: 'clicks/retract_clicks', onlyWith: ['restated_clicks'] },
  { model: 'clicks/restate_clicks', onlyWith: ['restated_clicks'] },
  { model: 'clicks/clicks', onlyWith: ['new_clicks'] },
  { model: 'clicks/changed_clicks', onlyWith: ['new_clicks', 'restated_clicks'] },
  { model: 'attribute/conversions_to_attribute', onlyWith: ['store.conversions', 'store.exposures', 'changed_clicks', REBUILD] },
  { model: 'attribute/match_scopes', onlyWith: ['conversions_to_attribute'] },
  { model: 'attribute/scoped_touches', onlyWith: ['match_scopes'] },
  { model: 'attribute/eligible_touches', onlyWith: ['scoped_touches'] },
  { model: 'attribute/touch_weights', onlyWith: ['eligible_touches'] },
  { model: 'attribute/touch_credits', onlyWith: ['touch_weights'] },
  { model: 'attribute/new_attribution', onlyWith: ['conversions_to_attribute'] },
  { model: 'attribute/restated_conversions', onlyWith: ['new_attribution'] },
  { model: 'attribute/retract_attribution', onlyWith: ['restated_conversions'] },
  { model: 'attribute/attribution', onlyWith: ['new_attribution'] },
  { model: 'attribute/changed_attribution', onlyWith: ['store.attribution'] },
  {
    model: 'gold/campaign_hourly',
    onlyWith: ['store.exposures', 'changed_clicks', 'store.conversions', 'store.bid_requests', 'changed_attribution'],
  },
  { model: 'gold/creative_daily', onlyWith: ['store.exposures'] },
  { model: 'gold/website_daily', onlyWith: ['store.exposures'] },
  { model: 'gold/auction_daily', onlyWith: ['store.bid_requests'] },
];

export const QUARANTINE_STEPS: readonly Step[] = [{ model: 'quarantine/quarantine', onlyWith: ['quarantine'] }];
