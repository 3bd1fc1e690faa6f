import type { Feed } from '../../domain/feeds.ts';
import type { Instance } from '../instance.ts';
import { COLLECTOR_SOURCE } from '../live/log-positions.ts';
import { NUMBER_OF_RATE, numbersIn } from './numbered-records.ts';
import type { SentRequest, SentRequests } from './sent-requests.ts';

/**
 * A number that is not in the tables as it has to be:
 * - `missing`: it was acknowledged, and is nowhere.
 * - `doubled`: it is there more often than it was sent, or than an event can be.
 * - `partial`: others of the same request are there, and it is not: a request is taken whole or not at all.
 * - `cut`: it is there, and its request never came whole.
 */
export interface Finding {
  readonly finding: 'missing' | 'doubled' | 'partial' | 'cut';
  readonly number: number;
  readonly feed: Feed;
  /** In microseconds since 1970; 0: it was not acknowledged. */
  readonly answeredAtMicros: number;
  /** Of the process that it was sent to last, from 1. */
  readonly life: number;
}

/** Records of a feed that the books call duplicates, and that nobody sent twice: they were read twice from the log. */
export interface TakenTwice {
  readonly feed: Feed;
  readonly duplicates: number;
  readonly sentAgain: number;
}

export interface Comparison {
  readonly findings: readonly Finding[];
  readonly takenTwice: readonly TakenTwice[];
  readonly records: {
    readonly acknowledged: number;
    readonly unanswered: number;
    /** Of those that were not answered: a process may be killed before it answers. */
    readonly unansweredInTables: number;
    readonly destroyed: number;
    readonly inTables: number;
    readonly inQuarantine: number;
  };
}

const MOST_COPIES = 255;

/** How often each number is in the tables, against what its sender knows. */
export async function compareWithTables(instance: Instance, requests: SentRequests, numbers: number): Promise<Comparison> {
  const accepted = await acceptedCopies(instance, numbers);
  const refused = await refusedCopies(instance, numbers);
  const findings: Finding[] = [];
  const records = { acknowledged: 0, unanswered: 0, unansweredInTables: 0, destroyed: 0, inTables: 0, inQuarantine: 0 };
  for (const request of requests.all) {
    const { feed, first, count, answeredAtMicros, life, isDestroyed, isCut, sent } = request;
    const present = Array.from({ length: count }, (_, index) => (accepted[first + index] as number) + (refused[first + index] as number) > 0);
    const found = present.filter((is) => is).length;
    if (answeredAtMicros > 0) records.acknowledged += count;
    else records.unanswered += count;
    if (answeredAtMicros === 0) records.unansweredInTables += found;
    if (isDestroyed) records.destroyed += count;
    for (let number = first; number < first + count; number++) {
      const [copies, refusals] = [accepted[number] as number, refused[number] as number];
      records.inTables += copies;
      records.inQuarantine += refusals;
      const finding = findingOf(request, copies, refusals, found);
      if (finding !== undefined) findings.push({ finding, number, feed, answeredAtMicros, life });
    }
    if (isCut && sent === 1 && found > 0) findings.push({ finding: 'cut', number: first, feed, answeredAtMicros, life });
  }
  return { findings, takenTwice: await takenTwice(instance, requests.all), records };
}

function findingOf(
  { answeredAtMicros, isDestroyed, sent, count }: SentRequest,
  copies: number,
  refusals: number,
  found: number,
): Finding['finding'] | undefined {
  // An event that comes again is a duplicate; what is refused is refused each time.
  if (copies > 1 || refusals > sent || (copies > 0 && refusals > 0)) return 'doubled';
  if (copies + refusals > 0) return undefined;
  if (answeredAtMicros > 0 && !isDestroyed) return 'missing';
  return found > 0 && found < count ? 'partial' : undefined;
}

async function acceptedCopies({ engine }: Instance, numbers: number): Promise<Uint8Array> {
  const result = new Uint8Array(numbers);
  const idColumns = {
    'silver.impressions': 'impression_id',
    'silver.clicks': 'event_id',
    'silver.conversions': 'event_id',
    'silver.bid_requests': 'request_id',
    'ref.campaigns': 'campaign_id',
    'ref.creatives': 'creative_id',
    'ref.users': 'user_id',
  };
  const tables = [
    ...Object.entries(idColumns).map(([table, column]) => `select try_cast(substr(${column}, 2) as bigint) as number from ${table}`),
    `select ${NUMBER_OF_RATE} as number from ref.currency_rates`,
  ].join(' union all ');
  // Counted here as they come: there are millions of them.
  for await (const [number] of (await engine.query(tables)).rows) {
    const at = number === null ? -1 : Number(number);
    if (at >= 0 && at < numbers && (result[at] as number) < MOST_COPIES) (result[at] as number)++;
  }
  return result;
}

async function refusedCopies({ engine }: Instance, numbers: number): Promise<Uint8Array> {
  const result = new Uint8Array(numbers);
  for (const { feed, raw } of await engine.rows<{ feed: Feed; raw: Uint8Array }>('select feed, raw from ops.quarantine')) {
    for (const number of new Set(numbersIn(raw, feed))) result[number] = Math.min(MOST_COPIES, (result[number] ?? 0) + 1);
  }
  return result;
}

async function takenTwice({ engine }: Instance, requests: readonly SentRequest[]): Promise<TakenTwice[]> {
  const sentAgain = new Map<Feed, number>();
  for (const { feed, count, sent } of requests) sentAgain.set(feed, (sentAgain.get(feed) ?? 0) + count * (sent - 1));
  const rows = await engine.rows<{ feed: Feed; duplicates: bigint }>(
    'select feed, sum(duplicate) as duplicates from ops.ledger where source = $source group by feed order by feed',
    { source: COLLECTOR_SOURCE },
  );
  return rows
    .map(({ feed, duplicates }) => ({ feed, duplicates: Number(duplicates), sentAgain: sentAgain.get(feed) ?? 0 }))
    .filter((row) => row.duplicates > row.sentAgain);
}
