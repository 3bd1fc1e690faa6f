/** All of SEMANTICS in one call: from received files to every table. */
import { attribute } from './attribution.ts';
import { matchClicks } from './correlation.ts';
import { decode, type Encoding, pickFields } from './decode.ts';
import { convertAmounts, resolveCampaign } from './enrichment.ts';
import { type Feed, FIELDS, isReferenceFeed, REFERENCE_KEYS, type ReferenceFeed } from './feeds.ts';
import { content, eventKey, eventRow } from './identity.ts';
import { flagBots, flagClicks } from './invalid-traffic.ts';
import * as measures from './measures.ts';
import { checkRecord, type EventType, eventTypeOf } from './normalise.ts';
import { campaignReport, type ReportRow } from './ratios.ts';
import { dayIn } from './times.ts';
import { ascending, DEFAULT_SETTINGS, type ReferenceSettings, type Row } from './words.ts';

/** A file as it was received. Files of one batch are committed together, in the order they are given in. */
export interface ReceivedFile {
  readonly feed: Feed;
  readonly source: string;
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
  readonly receivedAtMicros: bigint;
  /** Batches are applied in ascending order. */
  readonly batch: number;
  readonly delimiter?: string;
}

export interface ReferenceTables {
  readonly tables: Readonly<Record<TableName, readonly Row[]>>;
  readonly report: readonly ReportRow[];
}

export const TABLE_NAMES = [
  ...(['silver.impressions', 'silver.clicks', 'silver.conversions', 'silver.bid_requests', 'gold.attribution', 'gold.campaign_hourly'] as const),
  ...(['gold.campaign_daily', 'gold.creative_daily', 'gold.website_daily', 'gold.user_campaign_daily', 'gold.auction_daily'] as const),
  ...(['gold.conversion_lag', 'ref.campaigns', 'ref.creatives', 'ref.users', 'ref.currency_rates', 'ops.quarantine', 'ops.outcomes'] as const),
] as const;
export type TableName = (typeof TABLE_NAMES)[number];

type Outcome = 'accepted' | 'duplicate' | 'quarantined';

/** What has been committed: accepted events by key, reference data by its key, and what became of each record. */
class Committed {
  readonly events = new Map<string, { type: EventType; row: Row; content: string; place: Row }>();
  readonly reference: Record<ReferenceFeed, Map<string, Row>> = { campaigns: new Map(), creatives: new Map(), users: new Map(), 'currency-rates': new Map() };
  readonly quarantine: Row[] = [];
  readonly outcomes: Row[] = [];
  readonly settings: ReferenceSettings;

  constructor(settings: ReferenceSettings) {
    this.settings = settings;
  }

  file(file: ReceivedFile): void {
    const counts = { accepted: 0n, duplicate: 0n, quarantined: 0n };
    const decoded = decode(file.bytes, file.encoding, this.settings.limits.record_bytes, FIELDS[file.feed], file.delimiter);
    for (const [position, one] of decoded.entries()) {
      const place: Row = { source: file.source, position: BigInt(position), batch_id: BigInt(file.batch), received_at: file.receivedAtMicros };
      const values = 'record' in one ? pickFields(one.record, FIELDS[file.feed], file.encoding) : null;
      if (values === null) counts[this.refuse(file.feed, 'problem' in one ? one.problem : 'malformed', '', place)]++;
      else {
        const { row, violations } = checkRecord(values, file.feed, this.settings, file.receivedAtMicros);
        const [first] = violations;
        if (first !== undefined) counts[this.refuse(file.feed, first.code, first.pointer, place)]++;
        else counts[isReferenceFeed(file.feed) ? this.referenceRow(file.feed, row) : this.event(file.feed, row, place)]++;
      }
    }
    this.outcomes.push({ feed: file.feed, source: file.source, batch_id: BigInt(file.batch), received: BigInt(decoded.length), ...counts });
  }

  refuse(feed: Feed, code: string, pointer: string, place: Row): Outcome {
    this.quarantine.push({ feed, code, pointer, ...place });
    return 'quarantined';
  }

  /** The later row stands; one that changes nothing is a duplicate. */
  referenceRow(feed: ReferenceFeed, row: Row): Outcome {
    const key = JSON.stringify(REFERENCE_KEYS[feed].map((column) => row[column]?.toString() ?? null));
    const before = this.reference[feed].get(key);
    this.reference[feed].set(key, row);
    return before !== undefined && content(before) === content(row) ? 'duplicate' : 'accepted';
  }

  /** The first record of an event stands; one that says something else of it is refused. */
  event(feed: Feed, checked: Row, place: Row): Outcome {
    const type = eventTypeOf(feed, checked)!;
    const row = eventRow(type, checked);
    const converted = convertAmounts(row, [...this.reference['currency-rates'].values()], this.settings.instance.currency);
    if (typeof converted === 'string') return this.refuse(feed, converted, feed === 'bid-requests' ? '/auction/currency' : '/currency', place);
    const key = eventKey(type, row);
    const first = this.events.get(key);
    if (first === undefined) this.events.set(key, { type, row: converted, content: content(row), place });
    else if (first.content === content(row)) return 'duplicate';
    else return this.refuse(feed, 'id_conflict', '', place);
    return 'accepted';
  }
}

/** Every table after the last batch, as if all of it had been known from the start. */
export function reference(files: readonly ReceivedFile[], settings: ReferenceSettings = DEFAULT_SETTINGS): ReferenceTables {
  const committed = new Committed(settings);
  for (const file of files.toSorted((a, b) => a.batch - b.batch)) committed.file(file);

  const rows = (feed: ReferenceFeed) => [...committed.reference[feed].values()];
  const zone = settings.instance.reporting_time_zone;
  const eventsOf = (type: EventType) =>
    [...committed.events]
      .filter(([, event]) => event.type === type)
      .map(([event_key, { row, place }]): Row => ({ event_key, ...row, report_date: dayIn(zone, row['event_time'] as bigint), ...place }))
      .sort(ascending('event_key'));

  const impressions = flagBots(eventsOf('impression').map((impression) => resolveCampaign(impression, rows('creatives'))));
  const clicks = matchClicks(flagClicks(eventsOf('click'), settings), impressions, settings).sort(ascending('event_key'));
  const conversions = flagBots(eventsOf('conversion'));
  const bids = flagBots(eventsOf('bid_request'));
  const attribution = attribute(conversions, impressions, clicks, settings);
  const facts: measures.Facts = { impressions, clicks, conversions, bids, attribution };

  const daily = measures.campaignDaily(facts, settings);
  const userDays = measures.userCampaignDaily(facts);
  const auctionDays = measures.auctionDaily(facts);
  return {
    report: campaignReport(daily, userDays, auctionDays, rows('campaigns')),
    tables: {
      'silver.impressions': impressions,
      'silver.clicks': clicks,
      'silver.conversions': conversions,
      'silver.bid_requests': bids,
      'gold.attribution': attribution.sort(ascending('conversion_key', 'path_position')),
      'gold.campaign_hourly': measures.campaignHourly(facts),
      'gold.campaign_daily': daily,
      'gold.creative_daily': measures.creativeDaily(facts),
      'gold.website_daily': measures.websiteDaily(facts),
      'gold.user_campaign_daily': userDays,
      'gold.auction_daily': auctionDays,
      'gold.conversion_lag': measures.conversionLag(facts, settings),
      'ref.campaigns': rows('campaigns').sort(ascending('campaign_id')),
      'ref.creatives': rows('creatives').sort(ascending('creative_id', 'valid_from')),
      'ref.users': rows('users').sort(ascending('user_id')),
      'ref.currency_rates': rows('currency-rates').sort(ascending('rate_date', 'currency')),
      'ops.quarantine': committed.quarantine.toSorted(ascending('feed', 'source', 'position')),
      'ops.outcomes': committed.outcomes,
    },
  };
}
