import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AdvertiseXError } from '../domain/errors.ts';
import { type GenerateOptions, planTraffic, recordsPerImpression } from './options.ts';
import { writeFailure } from './output/output-file.ts';
import { writeReferenceFiles } from './output/reference-files.ts';
import { TrafficSimulation } from './simulation/traffic-simulation.ts';
import { buildWorld, type World } from './simulation/world.ts';
import { type GenerateSummary, summarise } from './truth/summary.ts';
import { TruthFiles } from './truth/truth-files.ts';

export interface GenerateProgress {
  readonly records: number;
  /** About how many it will be. */
  readonly expectedRecords: number;
  /** How far the traffic has got, microseconds. */
  readonly timeMicros: number;
}

export interface GenerateListener {
  /** Called now and then: after every hundredth of the work or so. */
  progress?(progress: GenerateProgress): void;
  readonly signal?: AbortSignal;
}

/**
 * Writes realistic traffic to an empty folder: `reference/` (campaigns, creatives, users, currency rates), a folder for each
 * event feed in its default encoding and in the order of arrival, and `truth/` with what must come of it. The same options
 * give the same bytes. `truth/summary.json` is written last: where it stands, everything is there.
 *
 * It holds the impressions of one day (16 bytes each), the ids of the users, and what has happened and not arrived yet.
 */
export async function generateTraffic(options: GenerateOptions, out: GenerateListener = {}): Promise<GenerateSummary> {
  const plan = planTraffic(options);
  await prepareDirectory(plan.directory);
  const world = buildWorld(plan);
  const reference = await writeReferenceFiles(plan.directory, world);
  const truth = new TruthFiles(plan.directory);
  const simulation = new TrafficSimulation(world, truth);
  const lanes = Object.values(simulation.lanes);
  try {
    await run(simulation, truth, Math.round(plan.impressions * recordsPerImpression(plan.rates)), out);
    for (const { files } of lanes) await files.close();
    writeTruth(world, simulation, truth);
    await truth.close();
  } catch (failure) {
    for (const { files } of lanes) files.abort();
    truth.abort();
    throw failure;
  }
  const summary = summarise(world, simulation, reference);
  const path = join(plan.directory, 'truth/summary.json');
  await writeFile(path, `${JSON.stringify(summary, undefined, 2)}\n`).catch((cause: unknown) => {
    throw writeFailure(path, cause);
  });
  return summary;
}

async function run(simulation: TrafficSimulation, truth: TruthFiles, expectedRecords: number, out: GenerateListener): Promise<void> {
  const lanes = Object.values(simulation.lanes);
  let reported = 0;
  while (simulation.passMinute()) {
    // Most minutes of the tail are empty: nothing is awaited for them.
    for (const { files } of lanes) if (files.waits) await files.drained();
    if (truth.waits) await truth.drained();
    if (out.signal?.aborted) throw new AdvertiseXError('interrupted', 'Generating was interrupted', 'Remove the unfinished folder and generate again.');
    const { records, timeMicros } = simulation;
    if (records - reported >= expectedRecords / 100) {
      reported = records;
      out.progress?.({ records, expectedRecords, timeMicros });
    }
  }
  out.progress?.({ records: simulation.records, expectedRecords: simulation.records, timeMicros: simulation.timeMicros });
}

/** What is known only at the end. */
function writeTruth({ audience, campaigns }: World, { campaignDays }: TrafficSimulation, truth: TruthFiles): void {
  for (const { campaign, date, measures } of campaignDays.rows()) {
    truth.line('campaign-days', { campaign_id: campaigns.all[campaign]?.id ?? null, date, ...measures });
  }
  for (let user = audience.people + audience.strangers; user < audience.size; user++) {
    truth.line('bots', { user_id: audience.id(user), hidden: audience.isHiddenBot(user) });
  }
}

async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    if ((await readdir(directory)).length === 0) return;
  } catch (cause) {
    throw writeFailure(directory, cause);
  }
  throw new AdvertiseXError(
    'usage',
    `${directory} is not empty`,
    'Choose a folder that does not exist yet, or empty this one: traffic of two runs must not mix.',
  );
}
