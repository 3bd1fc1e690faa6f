import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import type { Instance } from '../../src/app/instance.ts';
import { topicsToConsume } from '../../src/app/live/consumed-topics.ts';
import { LiveSources } from '../../src/app/live/open-sources.ts';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import { settingsSchema } from '../../src/config/settings.ts';
import { EVENT_FEEDS, REFERENCE_FEEDS } from '../../src/domain/feeds.ts';
import { bufferHost } from '../command-line/buffer-host.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { callsFor, filesOf, makeSmallDay } from '../faults/small-day.ts';
import { eventually, openSmallLive } from '../live/open-small-live.ts';
import { figures } from '../live/small-day-figures.ts';
import { cluster } from './kafka-settings.ts';

/** The same day through files and through topics: the tables are the same, to the last micro. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-topics-'));
const traffic = join(folder, 'traffic');
const topicOf = Object.fromEntries(EVENT_FEEDS.map((feed) => [feed, `${feed}-${randomUUID()}`]));
const connection = { kafka: { brokers: [cluster.kafka.brokers] }, registry: { url: cluster.registry.url } };
let expected: Awaited<ReturnType<typeof comparable>>;
let records = 0;

beforeAll(async () => {
  await makeSmallDay(traffic);
  expected = await withInstance(join(folder, 'files'), {}, async (instance) => {
    for (const requests of callsFor(traffic)) await ingestFiles(instance, requests);
    return comparable(instance);
  });
  writeFileSync(join(folder, 'advertisex.yaml'), stringify(connection));
  for (const feed of EVENT_FEEDS) {
    const host = bufferHost({ workingDirectory: folder, environment: {}, clock: () => Date.now() * 1_000 });
    const exit = await runCommandLine(
      ['produce', feed, ...filesOf(traffic, feed), '--topic', topicOf[feed] as string, '--partitions', '3', '--format', 'json'],
      host,
    );
    expect([exit, exit === 0 ? '' : host.err()]).toEqual([0, '']);
    records += (JSON.parse(host.out()) as { sent: number }).sent;
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What is in quarantine is other bytes: a row of CSV in a message has no header, and a record in Avro no file. Avro that does not decode is not sent. */
async function comparable(instance: Instance) {
  const { quarantine, outcomes: _, ...tables } = await figures(instance);
  const codes = (quarantine as readonly Record<string, unknown>[]).filter(({ feed, code }) => feed !== 'bid-requests' || code !== 'malformed');
  return { ...tables, codes: codes.map(({ feed, code, path }) => `${feed} ${code} ${path}`).sort() };
}

it('gives the same tables', async () => {
  const topics = EVENT_FEEDS.map((feed) => ({ feed, topic: topicOf[feed] }));
  const settings = settingsSchema.parse({ ...connection, sources: { topics } });
  await withInstance(join(folder, 'topics'), {}, async (instance) => {
    await ingestFiles(
      instance,
      REFERENCE_FEEDS.map((feed) => ({ feed, paths: [join(traffic, 'reference', `${feed}.csv`)] })),
    );
    const { live } = await openSmallLive(instance);
    const consumed = await topicsToConsume(settings, {});
    const sources = new LiveSources(instance, {
      live,
      folders: [],
      ...(consumed === undefined ? {} : { topics: consumed }),
      onEvent: ({ message }) => console.error(message),
      sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(20, milliseconds))),
      monotonicMs: () => performance.now(),
    });
    sources.start();
    const taken = () => sources.topicFigures().reduce((sum, { partitions }) => sum + partitions.reduce((all, each) => all + each.taken, 0), 0);
    await eventually(() => taken() === records, 60_000);
    await sources.stop();
    await live.stop();
    expect(await comparable(instance)).toEqual(expected);
    expect(await brokenEquations(instance)).toEqual([]);
  });
});
