/**
 * Arbitrary small traffic, dense in coincidences: few users, campaigns and creatives, times that lie on the edges of windows,
 * intervals and days, ids that several records share, reference data that comes late and changes, and every kind of broken record.
 */
import fc from 'fast-check';
import type { Feed } from '../reference/feeds.ts';
import { DAY, HOUR, SECOND } from '../reference/words.ts';
import type { Cell, Item } from './render-files.ts';

export interface TrafficItem {
  readonly feed: Feed;
  readonly item: Item;
}

/** The moment all traffic is received, and the one most of it happens around: half a second before midnight. */
export const RECEIVED_AT = micros('2026-06-01T00:00:00Z');
const ANCHOR = micros('2026-03-10T23:59:59.5Z');

function micros(text: string): bigint {
  return BigInt(Date.parse(text)) * 1000n;
}

/** Steps whose sums and differences hit the edges of every window, and what is just this side or that of them. */
const STEPS = [0n, 0n, 400_000n, 500_000n, SECOND, 60n * SECOND, HOUR, 6n * HOUR, DAY, 7n * DAY, 30n * DAY];
const HAIRS = [0n, 0n, 0n, 1n, -1n];

const step = fc.tuple(fc.constantFrom(...STEPS), fc.constantFrom(1n, -1n)).map(([length, sign]) => length * sign);
const moment: fc.Arbitrary<bigint> = fc.tuple(step, step, fc.constantFrom(...HAIRS)).map(([one, two, hair]) => ANCHOR + one + two + hair);

const time = moment.map((at): Cell => ({ micros: at }));
const user = fc.constantFrom('u1', 'u2', ' u1 ');
const campaign = fc.constantFrom('c1', 'c2', 'c3');
const maybeCampaign = fc.constantFrom('c1', 'c1', 'c2', '', '-');
const creative = fc.constantFrom('k1', 'k2', 'k3', 'kx');
const website = fc.constantFrom('x.com', 'https://www.x.com/a', 'Y.com.');
const amount = fc.constantFrom('0', '1.5', '2', '0.000001', '0.0000005', '8790000').map((number): Cell => ({ number }));
/** Some rates of EUR exist, none of GBP. */
const currency = fc.constantFrom('', 'USD', 'EUR', 'eur', 'GBP');
const robot = fc.constantFrom('', '', '', '', 'Mozilla/5.0 (Windows NT 10.0) Chrome/131.0.0.0', 'curl/8.5.0');
/** Several records get the same id now and then, mostly with other content. */
const id = fc.constantFrom('', '', '', 'a', 'b', 'c', 'd', '18446744073709551617');

/** Optional members are left out one by one. */
function record(required: Record<string, fc.Arbitrary<Cell>>, optional: Record<string, fc.Arbitrary<Cell>>): fc.Arbitrary<Record<string, Cell>> {
  return fc.record({ ...required, ...optional }, { requiredKeys: Object.keys(required) }) as fc.Arbitrary<Record<string, Cell>>;
}

const impression = record(
  { creative_id: creative, user_id: user, timestamp: time, website },
  {
    impression_id: id,
    campaign_id: maybeCampaign,
    price: amount,
    currency,
    user_agent: robot,
    viewable: fc.boolean().map((boolean) => ({ boolean })),
    country: fc.constantFrom('de', 'US'),
    device_type: fc.constantFrom('mobile', 'CTV'),
    placement_id: fc.constantFrom('p', ' "q", r', 'ä'.repeat(128)),
  },
);

const click = record(
  { timestamp: time, user_id: user, campaign_id: campaign, conversion_type: fc.constantFrom('', 'click', 'n/a') },
  { event_id: id, event_type: fc.constantFrom('', 'click'), creative_id: creative, user_agent: robot, value: amount, currency },
);

const conversion = record(
  { timestamp: time, user_id: user, campaign_id: maybeCampaign, conversion_type: fc.constantFrom('buy', 'sign up', 'say "yes", now') },
  { event_id: id, event_type: fc.constantFrom('', 'conversion'), order_id: fc.constantFrom('', '', 'o1', 'o2'), value: amount, currency, user_agent: robot },
);

const bid = record(
  { timestamp: time, 'auction.user_id': user, 'auction.space_id': fc.constantFrom('s1', 's2'), 'auction.amount': amount },
  {
    request_id: id,
    'bidder.client_id': fc.constantFrom('me'),
    'auction.campaign_id': maybeCampaign,
    'auction.creative_id': creative,
    'auction.won': fc.boolean().map((boolean) => ({ boolean })),
    'auction.clearing_price': amount,
    'auction.currency': currency,
    'targeting.age': fc.constantFrom('25-34'),
  },
);

const campaignRow = record(
  { campaign_id: campaign },
  { name: fc.constantFrom('One', 'Two'), pricing_model: fc.constantFrom('cpm', 'cpc', 'CPA'), rate: amount, start: fc.constantFrom('2026-01-01') },
);
const creativeRow = record({ creative_id: fc.constantFrom('k1', 'k2', 'k3'), campaign_id: campaign }, { name: fc.constantFrom('Banner'), valid_from: time });
const userRow = record({ user_id: user }, { age: fc.constantFrom('25-34', '35-44') });
const rateRow = record(
  {
    rate_date: moment.map((at) => new Date(Number(at / 1000n)).toISOString().slice(0, 10)),
    currency: fc.constant('EUR'),
    rate: fc.constantFrom('1.0851', '0.5', '0.999999999'),
  },
  {},
);

/** Something wrong with one field, or with the whole record. */
const fault = fc.oneof(
  fc.constantFrom('', 'null').map((value) => ({ value })),
  fc
    .constantFrom('nonsense', '-1', 'a\tb', '1e99', '2026-02-30T00:00:00Z', '1999-12-31T23:59:59Z', '2026-06-01T00:10:00.000001Z', 'x'.repeat(2100))
    .map((value) => ({ value })),
  fc.constant({ value: undefined }),
);
const garbage = fc.constantFrom(
  'oops',
  '{"user_id":"u1"',
  '{"user_id":\n',
  '[1,2]',
  '17',
  '{}',
  '{"user_id":"u1","user_id":"u1"}',
  'a,b',
  '{"user_id":"u1",}',
  'ü',
);

const EVENTS = {
  'ad-impressions': impression,
  'clicks-conversions': fc.oneof({ weight: 3, arbitrary: click }, { weight: 2, arbitrary: conversion }),
  'bid-requests': bid,
};
const REFERENCE = { creatives: creativeRow, campaigns: campaignRow, users: userRow, 'currency-rates': rateRow };

function items<F extends Feed>(
  records: Readonly<Record<F, fc.Arbitrary<Record<string, Cell>>>>,
  weights: Readonly<Record<F, number>>,
): fc.Arbitrary<TrafficItem> {
  const choices = (Object.keys(records) as F[]).map((feed) => ({
    weight: weights[feed],
    arbitrary: records[feed].map((fields): TrafficItem => ({ feed, item: { fields } })),
  }));
  return fc.oneof(...choices);
}

const eventItem = items(EVENTS, { 'ad-impressions': 4, 'clicks-conversions': 6, 'bid-requests': 1 });
const referenceItem = items(REFERENCE, { creatives: 4, campaigns: 2, users: 1, 'currency-rates': 2 });

/** A record of which one field is broken: absent, empty, or something it cannot be. */
const brokenItem: fc.Arbitrary<TrafficItem> = fc.tuple(fc.oneof(eventItem, referenceItem), fc.nat(), fault).map(([{ feed, item }, at, { value }]) => {
  const fields = { ...('fields' in item ? item.fields : {}) };
  const name = Object.keys(fields)[at % Object.keys(fields).length]!;
  if (value === undefined) delete fields[name];
  else fields[name] = value;
  return { feed, item: { fields } };
});

const garbageItem: fc.Arbitrary<TrafficItem> = fc
  .tuple(fc.constantFrom<Feed>('ad-impressions', 'clicks-conversions', 'bid-requests', 'creatives'), garbage)
  .map(([feed, text]) => ({ feed, item: { garbage: text } }));

export const traffic: fc.Arbitrary<TrafficItem[]> = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: eventItem },
    { weight: 3, arbitrary: referenceItem },
    { weight: 1, arbitrary: brokenItem },
    { weight: 1, arbitrary: garbageItem },
  ),
  { minLength: 1, maxLength: 100, size: 'max' },
);
