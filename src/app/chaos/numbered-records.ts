import type { Feed } from '../../domain/feeds.ts';
import type { RandomStream } from '../../generate/random-stream.ts';
import { FORMATS, SEGMENTS, SITE_FIRST } from '../../generate/world/names.ts';
import { BOTS, DEVICES } from '../../generate/world/user-agents.ts';

/** A record, flat: `auction.user_id` stands in `auction`. Null: left out. */
export type NumberedRecord = Readonly<Record<string, string | number | null>>;

/** Before any moment of receipt, and the same in every run. */
const FIRST_MICROS = Date.UTC(2025, 2, 3) * 1_000;
const DAYS = 3;
// Fewer make paths of hundreds of touches for each conversion, which take minutes to reconcile after some hundred kills.
const USERS = 20_000;
const CAMPAIGNS = 12;
/** Records that break their contract: they are acknowledged as well, and have to be in quarantine once. */
const BROKEN = 0.02;

/**
 * A record's number as it stands in its id: found again in tables, and in the bytes that quarantine and log keep. Impressions name
 * creatives, which therefore have a letter of their own.
 */
export function idOf(number: number, feed: Feed): string {
  return `${letterOf(feed)}${String(number).padStart(10, '0')}`;
}

export function numbersIn(bytes: Uint8Array, feed: Feed): number[] {
  return [
    ...Buffer.from(bytes)
      .toString('latin1')
      .matchAll(new RegExp(`(?<!\\w)${letterOf(feed)}(\\d{10})`, 'g')),
  ].map(([, digits]) => Number(digits));
}

function letterOf(feed: Feed): string {
  return feed === 'creatives' ? 'c' : 'n';
}

/** A rate has no id: its day and currency say its number. `numberOfRate` is the way back, in SQL. */
const RATE_DAYS = 8_000;
const FIRST_RATE_DAY = Date.UTC(2000, 0, 1);
export const NUMBER_OF_RATE = `date_diff('day', date '2000-01-01', rate_date) + ${RATE_DAYS} * (676 * (ascii(currency[1]) - 65) + 26 * (ascii(currency[2]) - 65) + ascii(currency[3]) - 65)`;

/** `creatives`: ids that this and neighbouring requests send reference data of, some of it later than what is resolved with it. */
export function numberedRecord(feed: Feed, number: number, random: RandomStream, creatives: readonly string[]): NumberedRecord {
  return RECORDS[feed](number, random, creatives);
}

type Make = (number: number, random: RandomStream, creatives: readonly string[]) => NumberedRecord;

const impression: Make = (number, random, creatives) => {
  const device = random.pick(random.chance(0.03) ? BOTS : DEVICES);
  return {
    impression_id: idOf(number, 'ad-impressions'),
    creative_id: creatives.length > 0 && random.chance(0.5) ? random.pick(creatives) : `cr-${random.below(40)}`,
    user_id: userOf(random),
    timestamp: timeOf(random),
    website: `${random.pick(SITE_FIRST).toLowerCase()}.example`,
    campaign_id: random.chance(0.6) ? campaignOf(random) : null,
    placement_id: `sp-${random.below(30)}`,
    price: moneyOf(random, 9),
    user_agent: device.userAgent,
    ip: `203.0.113.${random.below(256)}`,
    device_type: device.type,
  };
};

const response: Make = (number, random) => {
  const isClick = random.chance(0.8);
  return {
    timestamp: timeOf(random),
    user_id: userOf(random),
    campaign_id: campaignOf(random),
    conversion_type: isClick ? random.pick(['', 'click']) : random.pick(['purchase', 'sign_up']),
    event_id: idOf(number, 'clicks-conversions'),
    value: isClick ? null : moneyOf(random, 200),
  };
};

const bid: Make = (number, random) => {
  const won = random.pick(['true', 'false', null]);
  return {
    request_id: idOf(number, 'bid-requests'),
    timestamp: timeOf(random),
    'bidder.client_id': `dsp-${random.below(6)}`,
    'auction.user_id': userOf(random),
    'auction.space_id': `sp-${random.below(30)}`,
    'auction.amount': moneyOf(random, 9),
    'auction.campaign_id': campaignOf(random),
    'auction.won': won,
    'auction.clearing_price': won === 'true' ? moneyOf(random, 5) : null,
    'targeting.age': random.pick(['18-24', '25-34', null]),
  };
};

const RECORDS: Readonly<Record<Feed, Make>> = {
  'ad-impressions': impression,
  'clicks-conversions': response,
  'bid-requests': bid,
  campaigns: (number, random) => ({
    campaign_id: idOf(number, 'campaigns'),
    name: `Campaign ${number}`,
    pricing_model: random.chance(BROKEN) ? 'cpx' : random.pick(['cpm', 'cpc', 'cpa']),
    rate: moneyOf(random, 4),
  }),
  creatives: (number, random) => ({
    creative_id: idOf(number, 'creatives'),
    campaign_id: random.chance(BROKEN) ? '' : campaignOf(random),
    format: random.pick(FORMATS),
  }),
  users: (number, random) => ({ user_id: idOf(number, 'users'), age: String(18 + random.below(60)), segment: random.pick(SEGMENTS) }),
  'currency-rates': (number, random) => ({
    rate_date: new Date(FIRST_RATE_DAY + (number % RATE_DAYS) * 86_400_000).toISOString().slice(0, 10),
    currency: currencyOf(Math.floor(number / RATE_DAYS)),
    rate: `1.${random.below(1_000)}`,
  }),
};

function userOf(random: RandomStream): string {
  return random.chance(BROKEN) ? '' : `u-${random.below(USERS)}`;
}

function campaignOf(random: RandomStream): string {
  return `cmp-${random.below(CAMPAIGNS)}`;
}

function timeOf(random: RandomStream): string {
  const micros = FIRST_MICROS + random.below(DAYS * 86_400) * 1_000_000 + random.below(1_000_000);
  return `${new Date(micros / 1_000).toISOString().slice(0, 19)}.${String(micros % 1_000_000).padStart(6, '0')}Z`;
}

function moneyOf(random: RandomStream, most: number): string {
  return `${random.below(most)}.${String(random.below(10_000)).padStart(4, '0')}`;
}

function currencyOf(index: number): string {
  return String.fromCharCode(65 + (Math.floor(index / 676) % 26), 65 + (Math.floor(index / 26) % 26), 65 + (index % 26));
}
