import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Circumstances, type Recorded, recorded } from './results-file.ts';

const README = join(import.meta.dirname, 'README.md');
const BEGIN = '<!-- results: written by `npm run bench`, from results/*.json -->';
const END = '<!-- end of results -->';

/** Puts the recorded results between the markers of bench/README.md, and gives the text. */
export async function writeResultsTable(): Promise<string> {
  const text = await readFile(README, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${README} has lost its markers: ${BEGIN} … ${END}`);
  const parts = [
    throughputText(await recorded('throughput')),
    growthText(await recorded('growth')),
    memoryText(await recorded('memory')),
    freshnessText(await recorded('freshness')),
    liveRateText(await recorded('live-rate')),
  ];
  const results = parts.filter((part) => part !== '').join('\n\n');
  await writeFile(README, `${text.slice(0, begin + BEGIN.length)}\n\n${results}\n\n${text.slice(end)}`);
  return results;
}

function throughputText(result: Recorded<'throughput'> | undefined): string {
  if (result === undefined) return '';
  const { contestants, ratios } = result;
  const rows = contestants.map(({ name, eventsPerSecond, wallSeconds, cpuSeconds, peakRssBytes, rounds }) => [
    name,
    whole(eventsPerSecond),
    `${wallSeconds.toFixed(1)} s`,
    `${spread(rounds.map((round) => round.wallSeconds))} s`,
    `${cpuSeconds.toFixed(1)} s`,
    megabytes(peakRssBytes),
  ]);
  const tallies = contestants.map(({ name, tally: t }) => [
    name,
    ...[t.impressions, t.clicks, t.conversions, t.bidRequests, t.attributedConversions].map(whole),
  ]);
  return [
    '### Throughput',
    `${whole(result.records)} records (${whole(result.impressions)} impressions and what belongs to them), ${megabytes(result.bytes)}; medians of ${contestants[0]!.rounds.length} rounds. ${says(result.circumstances)}`,
    table(['', 'records/s', 'wall', 'of all rounds', 'CPU', 'peak memory'], rows),
    ...(ratios.length === 0
      ? []
      : [
          table(
            ['the product against', 'wall', 'CPU time', 'asked for (wall)'],
            ratios.map(({ peer, wall, cpu }) => [peer, times(wall), times(cpu), ASKED[peer] ?? '']),
          ),
        ]),
    `What each made of it (the peers differ in ${result.peersAgreement.differing} of ${whole(result.peersAgreement.campaignHours)} campaign hours):`,
    table(['', 'impressions', 'clicks', 'conversions', 'bid requests', 'attributed conversions'], tallies),
  ].join('\n\n');
}

const ASKED: Readonly<Record<string, string>> = { pyspark: '≥ 4 ×', duckdb: '≥ 0.5 ×' };

function growthText(result: Recorded<'growth'> | undefined): string {
  if (result === undefined) return '';
  const { histories, ratio } = result;
  return [
    '### Growth',
    `A batch of about ${whole(histories[0]!.recordsInBatch)} records, applied to the history of a young and of an older instance. ${says(result.circumstances)}`,
    table(
      ['history', 'rows', 'database', 'batches', 'apply (median)', 'with decoding'],
      histories.map((one) => [
        `${one.days} ${one.days === 1 ? 'day' : 'days'}`,
        whole(one.rows),
        megabytes(one.databaseBytes),
        String(one.batches),
        `${one.medianApplyMs.toFixed(0)} ms`,
        `${one.medianWholeMs.toFixed(0)} ms`,
      ]),
    ),
    `Ratio: **${times(ratio)}** (asked for: at most 1.5 ×).`,
  ].join('\n\n');
}

function memoryText(result: Recorded<'memory'> | undefined): string {
  if (result === undefined) return '';
  return [
    '### Memory',
    `Ingesting ${whole(result.records)} records (${megabytes(result.bytes)}) peaked at **${megabytes(result.peakRssBytes)}** (asked for: at most 1,500 MB). ${says(result.circumstances)}`,
  ].join('\n\n');
}

function freshnessText(result: Recorded<'freshness'> | undefined): string {
  if (result === undefined) return '';
  return [
    '### Freshness',
    `Events over HTTP in requests of ${whole(result.runs[0]!.eventsARequest)}; sender, watcher and server on the same machine. Fresh is from the answer until \`gold\` has it (asked for: p99 ≤ 1 s); a report is that of all campaigns and days over HTTP without reach, once a second meanwhile (asked for: p95 ≤ 50 ms), or that of the day with reach, every 20 seconds. ${says(result.circumstances)}`,
    table(
      [
        'run',
        'rows before',
        'events/s',
        'for',
        'acknowledged',
        'stored',
        'fresh p50',
        'p95',
        'p99',
        'most',
        'report p50',
        'p95',
        'without reach p50',
        'p95',
        'peak memory',
      ],
      result.runs.map((run) => [
        run.backfillRecordsPerSecond === undefined ? run.name : `${run.name} of ${whole(run.backfillRecordsPerSecond)} records/s`,
        whole(run.historyRows),
        whole(run.rate),
        `${run.seconds} s`,
        whole(run.acknowledged * run.eventsARequest),
        whole(run.storedEvents),
        ...[run.freshMillis.p50, run.freshMillis.p95, run.freshMillis.p99, run.freshMillis.max].map(milliseconds),
        ...[run.sumsMillis.p50, run.sumsMillis.p95, run.reachMillis.p50, run.reachMillis.p95].map(milliseconds),
        megabytes(run.peakRssBytes),
      ]),
    ),
  ].join('\n\n');
}

function liveRateText(result: Recorded<'live-rate'> | undefined): string {
  if (result === undefined) return '';
  return [
    '### Highest rate',
    `As many requests as are answered in ${result.seconds} s, each once its events are on disk and decoded, against a fastify that only reads the bodies (asked for: at least 0.5 ×). CPU is the server's, for a request. ${says(result.circumstances)}`,
    table(
      ['events a request', 'connections', 'requests/s', 'events/s', 'CPU', 'bare requests/s', 'bare CPU', 'ratio'],
      result.sizes.map(({ eventsARequest, connections, product, bare, ratio }) => [
        whole(eventsARequest),
        whole(connections),
        whole(product.requestsPerSecond),
        whole(product.requestsPerSecond * eventsARequest),
        `${whole(product.cpuMicrosPerRequest)} µs`,
        whole(bare.requestsPerSecond),
        `${whole(bare.cpuMicrosPerRequest)} µs`,
        times(ratio),
      ]),
    ),
  ].join('\n\n');
}

function says({ date, commit, node, cpu, cores, loadBefore, loadAfter }: Circumstances): string {
  const load = [loadBefore, loadAfter].map((value) => value.toFixed(1)).join(' to ');
  return `Measured ${date} at \`${commit}\`, Node ${node}, ${cores} cores (${cpu}), load average ${load}.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map((_, column) => (column === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const milliseconds = (value: number): string => `${whole(value)} ms`;
const whole = (value: number): string => Math.round(value).toLocaleString('en');
const times = (value: number): string => `${value.toFixed(2)} ×`;
const megabytes = (bytes: number): string => `${whole(bytes / 1e6)} MB`;
const spread = (values: readonly number[]): string => `${Math.min(...values).toFixed(1)}–${Math.max(...values).toFixed(1)}`;
