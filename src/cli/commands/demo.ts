import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { IngestRequest } from '../../app/ingest-files.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { FEEDS, REFERENCE_FEEDS } from '../../domain/feeds.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { parseCount } from '../option-values.ts';
import { withInstance } from '../with-instance.ts';
import { generateWithProgress } from './generate.ts';
import { ingestWithProgress } from './ingest.ts';
import { exportWithProgress } from './lake.ts';
import { showReconciliation } from './recon.ts';
import { showCampaigns } from './report.ts';

const DEFAULT_EVENTS = 200_000;
/** The same day for everyone, so that everyone sees the same figures. */
const FIRST_DAY = '2026-03-02';
const SEED = 'demo';

export const demo: CommandDefinition = {
  name: 'demo',
  summary: 'from generated traffic to reconciled campaign figures, in one go',
  description:
    'Makes a day of realistic traffic in the data directory, ingests it, writes the lake, reconciles, and prints the campaign report. Run again, it finds everything done.',
  examples: ['advertisex demo', 'advertisex demo --events 1_000_000 --data big-demo'],
  declare: (command) => void command.option('--events <number>', `about so many event records (default: ${DEFAULT_EVENTS})`, parseCount),

  async run(context, _parameters, { events }) {
    const traffic = join(context.dataDirectory, 'demo-traffic');
    const started = context.host.clock();
    await makeTraffic(context, traffic, events as number | undefined);
    return withInstance<ExitCode>(context, 'demo', 'write', async (instance) => {
      const { ingestFiles } = await import('../../app/ingest-files.ts');
      const { reconcile } = await import('../../app/recon.ts');
      const ingested = await ingestWithProgress(context, (onProgress) => ingestFiles(instance, requestsFor(traffic), onProgress));
      await exportWithProgress(context, instance);
      const equations = await reconcile(instance);
      const holds = equations.every((equation) => equation.holds);
      const { received, accepted, duplicate, quarantined } = ingested.outcomes;
      const lines = [
        `Ingested ${ingested.files.length} files: ${[`${count(received)} records received`, `${count(accepted)} accepted`, `${count(duplicate)} duplicate`, `${count(quarantined)} quarantined`].join(', ')}.`,
        `Reconciled: ${equations.filter((equation) => equation.holds).length} of ${equations.length} equations hold.`,
        '',
      ];
      for (const line of lines) context.messages.note(line);
      if (!holds) await showReconciliation(context, equations);
      await showCampaigns(context, instance, { model: 'last_touch' });
      context.messages.note(`\nDone in ${((context.host.clock() - started) / 1e6).toFixed(1)} s. Look around:`);
      const at =
        context.dataDirectory === context.path('advertisex-data') ? '' : ` --data ${relative(context.host.workingDirectory, context.dataDirectory) || '.'}`;
      for (const line of [
        'query "SELECT * FROM silver.conversions LIMIT 5"',
        'quarantine list --summary',
        'report campaigns --model linear --by day',
        'status',
      ]) {
        context.messages.note(`  npx advertisex ${line}${at}`);
      }
      return holds ? 0 : 1;
    });
  },
};

/** Traffic that is there already is used again: the demo can be run twice. */
async function makeTraffic(context: CommandContext, folder: string, events: number | undefined): Promise<void> {
  const summary = join(folder, 'truth/summary.json');
  if (existsSync(summary)) {
    if (events === undefined) return;
    const { records } = JSON.parse(await readFile(summary, 'utf8')) as { readonly records: number };
    // About so many were asked for: within a fifth it is the demo that is meant.
    if (Math.abs(records - events) > events / 5) {
      throw new AdvertiseXError(
        'usage',
        `${context.dataDirectory} holds a demo of ${count(records)} events already`,
        'Name another folder: `advertisex demo --events … --data other-demo`.',
      );
    }
    return;
  }
  if (existsSync(join(context.dataDirectory, 'advertisex.duckdb'))) {
    throw new AdvertiseXError(
      'usage',
      `${context.dataDirectory} holds data already, which is not to be mixed with a demo's`,
      'Name another folder: `advertisex demo --data demo`.',
    );
  }
  const { latestStartDate } = await import('../../generate/options.ts');
  const latest = latestStartDate(context.host.clock());
  const made = await generateWithProgress(context, {
    directory: folder,
    seed: SEED,
    startDate: latest < FIRST_DAY ? latest : FIRST_DAY,
    events: events ?? DEFAULT_EVENTS,
  });
  context.messages.note(
    `Made a day of traffic: ${count(made.records)} records of ${count(made.plan.users)} users and ${made.plan.campaigns} campaigns, with faults, bots and late arrivals.`,
  );
}

function requestsFor(traffic: string): IngestRequest[] {
  return FEEDS.map((feed) => ({
    feed,
    paths: [(REFERENCE_FEEDS as readonly string[]).includes(feed) ? join(traffic, 'reference', `${feed}.csv`) : join(traffic, feed)],
  }));
}

function count(value: number): string {
  return value.toLocaleString('en');
}
