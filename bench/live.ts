/**
 * What `advertisex up` takes over HTTP, and how soon it is in the tables. The server and the sender are processes of their own, on the same machine:
 *   node bench/live.ts [--rate 20000] [--seconds 30]     events a second in requests of 100, and how long each waits for its batch
 *   node bench/live.ts --backfill 1000000                the same, while an `ingest` of so many events of other days goes on beside it
 *   node bench/live.ts --most [--seconds 10]             as many as it takes, against a fastify that only reads the body
 * A request is as fresh as the time between its answer and `committed_at` of the last batch that has records of it, which is written as the
 * last thing before the commit. Needs `npm run build`.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import fastify from 'fastify';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '30' },
    most: { type: 'boolean', default: false },
    backfill: { type: 'string' },
    /** The sender's own: where to, and the server that only reads. */
    send: { type: 'string' },
    bare: { type: 'boolean', default: false },
  },
});
const A_REQUEST = 100;
const AT_ONCE = 64;
const seconds = Number(values.seconds);
const PROGRAM = join(import.meta.dirname, '../bin/advertisex.js');

interface Sent {
  /** By request: when it was answered, in milliseconds since 1970; 0: not with 200. */
  readonly answeredAt: readonly number[];
  readonly requestsPerSecond: number;
}

if (values.bare) await serveBare();
else if (values.send !== undefined) process.send?.(await sendAll(values.send, values.most ? undefined : Number(values.rate)));
else if (values.most) await measureMost();
else await measureFreshness();

async function measureFreshness(): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'advertisex-live-bench-'));
  try {
    const traffic = values.backfill === undefined ? undefined : await makeTraffic(join(data, 'traffic'), values.backfill);
    const up = await startUp(data);
    const backfill = traffic === undefined ? undefined : runBackfill(data, traffic);
    const { answeredAt } = await runSender(up.url, ['--rate', values.rate]);
    if (backfill !== undefined) console.log(await backfill);
    const memory = peakMegabytes(up.child);
    await stop(up.child);
    const committedAt = await commitTimes(data);
    // Clicks have no id of their own to find them by.
    const acknowledged = answeredAt.flatMap((at, index) => (at === 0 || isOfClicks(index) ? [] : [{ at, committed: committedAt.get(index) }]));
    const waits = acknowledged.flatMap(({ at, committed }) => (committed === undefined ? [] : [Math.max(0, committed - at)]));
    console.log(`${answeredAt.length} requests of ${A_REQUEST} events sent; peak memory ${memory} MB`);
    console.log(`of impressions and bid requests: ${acknowledged.length} acknowledged, ${waits.length} of them in the tables`);
    console.log(
      `from answer to commit: ${[50, 95, 99, 100].map((percent) => `${percent === 100 ? 'max' : `p${percent}`} ${percentile(waits, percent)} ms`).join(', ')}`,
    );
  } finally {
    rmSync(data, { recursive: true });
  }
}

/** Files of another time than what is sent. */
async function makeTraffic(folder: string, events: string): Promise<string> {
  await runProgram('generate', folder, '--events', events, '--seed', '1', '--quiet');
  return folder;
}

/** By another process, which has the running one do it. */
async function runBackfill(data: string, traffic: string): Promise<string> {
  const start = performance.now();
  const feeds = ['ad-impressions', 'clicks-conversions', 'bid-requests'].flatMap((feed) => [feed, join(traffic, feed)]);
  const { outcomes, batches } = JSON.parse(await runProgram('ingest', ...feeds, '--data', data, '--format', 'json', '--quiet'));
  const seconds = (performance.now() - start) / 1_000;
  return `backfill: ${outcomes.received} records in ${batches.length} batches and ${seconds.toFixed(1)} s, ${Math.round(outcomes.received / seconds)} records/s`;
}

async function runProgram(...words: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const part of child.stdout.setEncoding('utf8')) text += part;
  return text;
}

async function measureMost(): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'advertisex-live-bench-'));
  try {
    const up = await startUp(data);
    const taken = await runSender(up.url, ['--most']);
    await stop(up.child);
    const bare = fork(import.meta.filename, ['--bare'], { execArgv: ['--no-warnings'] });
    const url = await new Promise<string>((resolve) => bare.once('message', (message) => resolve(String(message))));
    const read = await runSender(url, ['--most']);
    bare.kill();
    const line = (what: string, { requestsPerSecond }: Sent) => `${what.padEnd(12)} ${Math.round(requestsPerSecond * A_REQUEST).toLocaleString('en')} events/s`;
    console.log(line('advertisex', taken));
    console.log(`${line('bare fastify', read)}   ratio ${(taken.requestsPerSecond / read.requestsPerSecond).toFixed(2)} ×`);
  } finally {
    rmSync(data, { recursive: true });
  }
}

async function serveBare(): Promise<void> {
  const app = fastify({ bodyLimit: 33_000_000 });
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post('/v1/events/:feed', async (incoming) => ({ bytes: (incoming.body as Buffer).length }));
  process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }));
}

/** At a rate, or as fast as it goes. */
async function sendAll(url: string, rate: number | undefined): Promise<Sent> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const answeredAt: number[] = [];
  const start = performance.now();
  const isOver = () => performance.now() - start >= seconds * 1_000;
  const sendNext = async () => {
    const index = answeredAt.push(0) - 1;
    const { feed, body } = makeRequest(index);
    if ((await post(agent, `${url}/v1/events/${feed}`, body)) === 200) answeredAt[index] = Date.now();
  };
  if (rate === undefined) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (!isOver()) await sendNext();
      }),
    );
  } else {
    const sending: Promise<void>[] = [];
    for (; !isOver(); await wait(2)) {
      const due = ((performance.now() - start) / 1_000) * (rate / A_REQUEST);
      while (answeredAt.length < due) sending.push(sendNext());
    }
    await Promise.all(sending);
  }
  const requestsPerSecond = (answeredAt.filter((at) => at > 0).length / (performance.now() - start)) * 1_000;
  agent.destroy();
  return { answeredAt, requestsPerSecond };
}

function isOfClicks(index: number): boolean {
  return index % 50 === 49;
}

/** Impressions and bid requests in turn, and clicks now and then; each record is new, and names its request. */
function makeRequest(index: number): { readonly feed: string; readonly body: string } {
  const time = new Date().toISOString();
  const feed = isOfClicks(index) ? 'clicks-conversions' : index % 2 === 0 ? 'ad-impressions' : 'bid-requests';
  let body = '';
  for (let i = 0; i < A_REQUEST; i++) {
    const user = `u-${(index * 7919 + i * 104_729) % 50_000}`;
    const campaign = `c-${i % 20}`;
    if (feed === 'ad-impressions')
      body += `{"impression_id":"r${index}-${i}","creative_id":"cr-${i % 97}","user_id":"${user}","timestamp":"${time}","website":"site-${i % 300}.example","campaign_id":"${campaign}","placement_id":"sp-${i % 40}","price":2.5,"currency":"USD","user_agent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36","country":"US","device_type":"mobile"}\n`;
    else if (feed === 'bid-requests')
      body += `{"request_id":"r${index}-${i}","auction":{"user_id":"${user}","space_id":"sp-${i % 40}","amount":1.25},"timestamp":"${time}","campaign_id":"${campaign}","client_id":"dsp-${i % 6}"}\n`;
    else body += `{"timestamp":"${time}","user_id":"${user}","campaign_id":"${campaign}","conversion_type":"click"}\n`;
  }
  return { feed, body };
}

function post(agent: Agent, url: string, body: string): Promise<number> {
  return new Promise((resolve) => {
    const sending = request(
      url,
      { method: 'POST', agent, headers: { 'content-type': 'application/x-ndjson', 'content-length': Buffer.byteLength(body) } },
      (response) => response.resume().once('end', () => resolve(response.statusCode ?? 0)),
    );
    sending.once('error', () => resolve(0));
    sending.end(body);
  });
}

async function startUp(data: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = spawn(process.execPath, [PROGRAM, 'up', '--port', '0', '--data', data], { stdio: ['ignore', 'ignore', 'pipe'] });
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const found = /http:\/\/\S+?(?=\/v1)/.exec(said);
      if (found !== null) resolve(found[0]);
    });
    child.once('exit', () => reject(new Error(said)));
  });
  return { child, url };
}

function runSender(url: string, how: readonly string[]): Promise<Sent> {
  const sender = fork(import.meta.filename, ['--send', url, '--seconds', values.seconds, ...how], { execArgv: ['--no-warnings'] });
  return new Promise((resolve, reject) => {
    sender.once('message', (sent) => resolve(sent as Sent));
    sender.once('exit', (code) => reject(new Error(`The sender ended with ${code}`)));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** When the last records of each request were committed. */
async function commitTimes(data: string): Promise<Map<number, number>> {
  const sql = `select cast(substr(split_part(id, '-', 1), 2) as bigint) as request, max(epoch_ms(b.committed_at)) as committed
    from (select impression_id as id, batch_id from silver.impressions union all select request_id, batch_id from silver.bid_requests) e
    join ops.batches b on b.batch_id = e.batch_id where regexp_full_match(id, 'r[0-9]+-[0-9]+') group by 1`;
  const rows = JSON.parse(await runProgram('query', sql, '--format', 'json', '--data', data)) as { request: number; committed: number }[];
  return new Map(rows.map((row) => [row.request, row.committed]));
}

function peakMegabytes({ pid }: ChildProcess): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024);
}

function percentile(numbers: readonly number[], percent: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor((numbers.length * percent) / 100))] ?? Number.NaN;
}
