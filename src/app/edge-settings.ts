import { EVENT_FEEDS, type EventFeed, FEEDS } from '../domain/feeds.ts';
import type { EdgeSettings } from '../ingest/edge-settings.ts';
import type { Instance } from './instance.ts';

/** What decides what records become: settings, contracts, and the currency rates as they are now. */
export async function edgeSettings({ settings, contracts, engine, batches }: Instance): Promise<EdgeSettings> {
  // While a batch runs, the engine shows what it has written so far.
  const rates = await batches.alone(() =>
    engine.rows<{ currency: string; rate_date: number; rate_e9: bigint }>('select currency, rate_date, rate_e9 from store.current_currency_rates'),
  );
  return {
    contracts,
    rules: Object.fromEntries(
      FEEDS.map((feed) => [feed, { nullSpellings: settings.normalising.null_spellings, timeZone: isEventFeed(feed) ? settings.feeds[feed].time_zone : 'UTC' }]),
    ),
    currency: settings.instance.currency,
    rates: rates.map((rate) => ({ currency: rate.currency, day: rate.rate_date, rateE9: Number(rate.rate_e9) })),
    reportingTimeZone: settings.instance.reporting_time_zone,
    maxRecordBytes: settings.limits.record_bytes,
  };
}

function isEventFeed(feed: string): feed is EventFeed {
  return (EVENT_FEEDS as readonly string[]).includes(feed);
}
