/**
 * Everything about the traffic that can be turned up or down. A rate is a probability unless `maximum` says otherwise. The
 * guide `docs/guides/generate.md` lists the same table; a test holds the two together.
 */
interface Rate {
  readonly default: number;
  /** Inclusive; 0 is always the minimum. */
  readonly maximum: number;
  readonly says: string;
}

const share = (value: number, says: string): Rate => ({ default: value, maximum: 1, says });
const measure = (value: number, maximum: number, says: string): Rate => ({ default: value, maximum, says });

export const RATES = {
  // How the three feeds relate.
  auctionShare: share(0.31, 'impressions bought in an auction whose bid request is in the feed, with the same auction id'),
  winRate: share(0.3, 'bid requests with an outcome that were won'),
  bidsWithoutOutcome: share(0.03, 'further bid requests that never heard an outcome, as a share of those that did'),

  // Popularity.
  campaignZipf: measure(0.8, 3, 'exponent of the popularity of campaigns: rank r is shown in proportion to r^-exponent'),
  siteZipf: measure(1, 3, 'exponent of the popularity of websites'),
  userZipf: measure(0.6, 3, 'exponent of the activity of people, capped at a hundred times the mean'),
  sessionContinuation: measure(0.65, 0.95, 'impressions that continue a running visit: same user, same site'),

  // What people do.
  clickRate: share(0.008, 'valid clicks for each impression, on average; campaigns spread around it, about 0.3 to 1.5 %'),
  conversionRate: share(0.03, 'conversions for each click, on average; campaigns spread around it, about 1 to 6 %'),
  viewThroughRate: share(0.0001, 'conversions for each impression that was seen and not clicked'),
  purchases: share(0.6, 'conversions that are a purchase with an order and a value; the others are sign-ups'),
  unattributedConversions: share(0.08, 'further conversions of people who never met the advertisement, as a share of the others'),
  unclaimedConversions: share(0.05, 'conversions that name no campaign'),

  // Invalid traffic.
  bots: share(0.04, 'impressions of crawlers and scripts that their user agent gives away'),
  hiddenBots: share(0.01, 'impressions of bots that call themselves an ordinary browser'),
  doubleClicks: share(0.03, 'clicks followed by another one within a second'),
  clickFloods: share(0.001, 'clicks that start a flood of 12 to 40 clicks on the same campaign'),
  orphanClicks: share(0.02, 'further clicks of people to whom no impression was shown, as a share of the others'),

  // How records are written.
  impressionsWithoutId: share(0.1, 'impressions known only by user, creative, time and website'),
  clicksWithoutId: share(0.2, 'clicks and conversions without an event id'),
  bidsWithoutId: share(0.05, 'bid requests without a request id'),
  campaignOmitted: share(0.15, 'impressions that leave their campaign to be found by the creative'),
  unknownCreatives: share(0.003, 'impressions of a creative that reference data does not know, without a campaign'),
  movedCreatives: share(0.05, 'creatives that go over to another campaign in mid-period'),
  numericUserIds: share(0.15, 'users whose id is a number beyond 2^53, sent as a JSON number and an Avro long'),
  nullSpellings: share(0.05, 'records with an optional field that is null or spelled empty, null, NULL, -, n/a or N/A'),
  oddTimestamps: share(0.15, 'sites and click trackers that write times in another allowed form'),
  oddWebsites: share(0.2, 'sites that send an address, capitals or www. instead of the plain host name'),
  extraFields: share(0.03, 'sites whose records hold a field that the contract does not know'),
  foreignCurrency: share(0.02, 'amounts in another currency than the instance’s'),

  // What goes wrong on the way.
  duplicateImpressions: share(0.004, 'impressions delivered again, seconds to minutes later'),
  duplicateClicks: share(0.09, 'clicks delivered again'),
  duplicateConversions: share(0.02, 'conversions delivered again'),
  duplicateBids: share(0.001, 'bid requests delivered again'),
  lateOverAnHour: share(0.02, 'records that arrive more than an hour after their time'),
  lateOverADay: share(0.002, 'records that arrive more than a day after their time; part of the above'),
  malformed: measure(0.005, 0.9, 'records that break their contract'),
  malformedBurst: measure(20, 100_000, 'how many broken records stand together, on average'),
  idConflicts: share(0.0001, 'records sent again with the same identity and other content'),
} as const satisfies Record<string, Rate>;

export type RateName = keyof typeof RATES;
export type Rates = Readonly<Record<RateName, number>>;
