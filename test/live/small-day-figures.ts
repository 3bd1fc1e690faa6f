import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Instance } from '../../src/app/instance.ts';
import type { Delivery } from '../../src/collector/collector.ts';
import { type Feed, REFERENCE_FEEDS } from '../../src/domain/feeds.ts';
import { filesOf } from '../faults/small-day.ts';

/** What readers see, but for where and when each record came. */
export async function figures(instance: Instance) {
  const tables: Record<string, unknown> = {};
  for (const table of ['impressions', 'clicks', 'conversions', 'bid_requests'])
    tables[table] = await instance.engine.rows(`select * exclude (source, position, batch_id, received_at) from silver.${table} order by event_key`);
  for (const table of ['attribution', 'campaign_hourly', 'campaign_report', 'creative_daily', 'website_daily', 'auction_daily', 'conversion_lag'])
    tables[table] = await instance.engine.rows(`select * from gold.${table} order by all`);
  tables['quarantine'] = await instance.engine.rows('select feed, code, path, md5(raw) as raw from ops.quarantine order by all');
  tables['outcomes'] = await instance.engine.rows(
    'select feed, sum(received) as received, sum(accepted) as accepted, sum(duplicate) as duplicate, sum(quarantined) as quarantined from ops.ledger group by feed order by feed',
  );
  return tables;
}

/** The small day as a sender would send it: reference data first, JSON in small requests, the rest file by file. */
export function deliveries(traffic: string): Delivery[] {
  const reference = REFERENCE_FEEDS.map(
    (feed): Delivery => ({ feed, encoding: 'csv', delimiter: ',', body: readFileSync(join(traffic, 'reference', `${feed}.csv`)) }),
  );
  const impressions = filesOf(traffic, 'ad-impressions').flatMap((path) => {
    const lines = readFileSync(path, 'latin1').split(/(?<=\n)/);
    return Array.from({ length: Math.ceil(lines.length / 7) }, (_, index): Delivery => {
      const body = Buffer.from(lines.slice(7 * index, 7 * index + 7).join(''), 'latin1');
      return { feed: 'ad-impressions', encoding: 'json', delimiter: ',', body: [body, gzipSync(body), zstdCompressSync(body)][index % 3] as Buffer };
    });
  });
  const whole = (feed: Feed, encoding: Delivery['encoding']) =>
    filesOf(traffic, feed).map((path): Delivery => ({ feed, encoding, delimiter: ',', body: readFileSync(path) }));
  return [...reference, ...impressions, ...whole('bid-requests', 'avro'), ...whole('clicks-conversions', 'csv')];
}
