import { EVENT_FEEDS, type EventFeed } from '../../domain/feeds.ts';
import type { GeneratePlan } from '../options.ts';
import type { WrittenFile } from '../output/output-file.ts';
import type { TrafficSimulation } from '../simulation/traffic-simulation.ts';
import type { World } from '../simulation/world.ts';

export interface FeedSummary {
  readonly received: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly quarantinedByCode: Readonly<Record<string, number>>;
  readonly lateOverAnHour: number;
  readonly lateOverADay: number;
  readonly files: readonly WrittenFile[];
}

/** What was made, and what must come of it: `truth/summary.json`, and the result of `generateTraffic`. */
export interface GenerateSummary {
  /** Records over the three feeds, duplicates and broken ones included. */
  readonly records: number;
  readonly bytes: number;
  /** The settings, with what they left open. */
  readonly plan: Omit<GeneratePlan, 'directory'> & { readonly firstDay: string };
  readonly feeds: Readonly<Record<EventFeed, FeedSummary>>;
  readonly reference: readonly WrittenFile[];
  readonly expected: {
    readonly impressions: number;
    readonly invalidImpressions: number;
    readonly hiddenBotImpressions: number;
    readonly unresolvedImpressions: number;
    readonly clicks: number;
    readonly validClicks: number;
    readonly botClicks: number;
    readonly doubleClicks: number;
    readonly floodClicks: number;
    readonly orphanClicks: number;
    readonly conversions: number;
    readonly invalidConversions: number;
    readonly unattributedConversions: number;
    readonly unclaimedConversions: number;
    readonly viewThroughConversions: number;
    readonly conversionValueMicros: number;
    readonly bidRequests: number;
    readonly bidsWithOutcome: number;
    readonly bidsWon: number;
  };
  /** Fell past the last day and its tail, and are nowhere in the files. */
  readonly notWritten: { readonly clicks: number; readonly conversions: number };
}

export function summarise(world: World, simulation: TrafficSimulation, reference: readonly WrittenFile[]): GenerateSummary {
  const feeds = Object.fromEntries(
    EVENT_FEEDS.map((feed): [EventFeed, FeedSummary] => {
      const { tally, files } = simulation.lanes[feed];
      return [
        feed,
        {
          received: tally.received,
          accepted: tally.accepted,
          duplicate: tally.duplicate,
          quarantined: tally.quarantinedTotal,
          quarantinedByCode: Object.fromEntries(Object.entries(tally.quarantined).sort(([a], [b]) => (a < b ? -1 : 1))),
          lateOverAnHour: tally.lateOverAnHour,
          lateOverADay: tally.lateOverADay,
          files: files.written,
        },
      ];
    }),
  ) as Record<EventFeed, FeedSummary>;
  const { counts } = simulation.responseRecords;
  const { directory: _, ...settings } = world.plan;
  let bytes = 0;
  for (const { files } of Object.values(feeds)) for (const file of files) bytes += file.bytes;
  return {
    records: simulation.records,
    bytes,
    plan: { ...settings, firstDay: new Date(settings.startMicros / 1000).toISOString().slice(0, 10) },
    feeds,
    reference,
    expected: {
      impressions: feeds['ad-impressions'].accepted,
      invalidImpressions: simulation.impressions.knownBots,
      hiddenBotImpressions: simulation.impressions.hiddenBots,
      unresolvedImpressions: simulation.impressions.unresolved,
      clicks: counts.clicks,
      validClicks: counts.validClicks,
      botClicks: counts.botClicks,
      doubleClicks: counts.doubleClicks,
      floodClicks: counts.floodClicks,
      orphanClicks: counts.orphanClicks,
      conversions: counts.conversions,
      invalidConversions: counts.invalidConversions,
      unattributedConversions: counts.unattributed,
      unclaimedConversions: counts.unclaimed,
      viewThroughConversions: counts.viewThrough,
      conversionValueMicros: counts.valueMicros,
      bidRequests: feeds['bid-requests'].accepted,
      bidsWithOutcome: simulation.bids.withOutcome,
      bidsWon: simulation.bids.wonCount,
    },
    notWritten: { clicks: simulation.responses.clicks.dropped, conversions: simulation.responses.conversions.dropped },
  };
}
