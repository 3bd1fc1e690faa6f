import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { IngestRequest } from '../../src/app/ingest-files.ts';
import { REFERENCE_FEEDS } from '../../src/domain/feeds.ts';
import { generateTraffic } from '../../src/generate/generate-traffic.ts';

/** When everything of the small day has happened: the moment of receipt in these tests. */
export const RECEIVED_MICROS = Date.UTC(2026, 3, 1) * 1_000;

/** A few hundred records in the three feeds, with every fault of the generator: enough for each model to have work to do. */
export async function makeSmallDay(directory: string, more: { readonly days?: number; readonly impressions?: number } = {}): Promise<string> {
  await generateTraffic({
    directory,
    seed: 'faults',
    startDate: '2026-03-02',
    impressions: 150,
    campaigns: 3,
    users: 12,
    sites: 5,
    filesPerFeed: 1,
    tailDays: 3,
    ...more,
    rates: { clickRate: 0.25, conversionRate: 0.3, malformed: 0.03, idConflicts: 0.02 },
  });
  return directory;
}

/** Reference data and events of generated traffic, as one call takes them. */
export function requestsFor(traffic: string): IngestRequest[] {
  return callsFor(traffic).flat();
}

/**
 * The same in a call for the reference data and one for each file of events: then the same files make the same batches, whatever
 * waits for what.
 */
export function callsFor(traffic: string): IngestRequest[][] {
  return [
    REFERENCE_FEEDS.map((feed) => ({ feed, paths: [join(traffic, 'reference', `${feed}.csv`)] })),
    ...(['ad-impressions', 'bid-requests', 'clicks-conversions'] as const).flatMap((feed) => filesOf(traffic, feed).map((path) => [{ feed, paths: [path] }])),
  ];
}

/** The files of a feed, in the order of their names. */
export function filesOf(traffic: string, feed: string): string[] {
  return readdirSync(join(traffic, feed))
    .sort()
    .map((name) => join(traffic, feed, name));
}
