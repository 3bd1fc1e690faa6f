import { type FoldContext, type FoldedSums, foldSums } from '../batches/fold-sums.ts';
import { forgetBatches } from '../batches/forget-batches.ts';
import { makeFilters } from '../batches/identity-runs.ts';
import { dropOldPositions } from '../batches/source-positions.ts';
import { readArchiveState } from '../collector/archive/archive-state.ts';
import { readManifest } from '../lake/lake-manifest.ts';
import type { Instance } from './instance.ts';
import { COLLECTOR_SOURCE } from './live/log-positions.ts';

export interface Compaction extends FoldedSums {
  /** As of so many more batches sums cannot be read any more. */
  readonly forgotten: number;
}

export interface CompactOptions {
  /** With fewer batches since the last fold it leaves the sums as they are; 0: it does all there is to do. */
  readonly fromBatches: number;
  /** What it throws stops the work between two transactions, or within one. */
  readonly onStep?: (step: string) => void;
}

/** From so many batches on it is worth while, where nobody asked for it. */
export const FOLD_FROM_BATCHES = 100;
/** Whoever ingests a few files a day can read their figures as of any of them for years. */
const FORGET_FROM_BATCHES = 1_000;

/** Puts together what many batches added to the same figures, and what tells their events apart, so that a report and a batch take as long after a year as after a day. */
export async function compactInstance(instance: Instance, { fromBatches, onStep }: CompactOptions): Promise<Compaction> {
  const { engine, settings, nowMicros } = instance;
  const alone: FoldContext['alone'] = (work) => instance.batches.alone(work);
  const step = (name: string): void => {
    onStep?.(name);
    instance.onStep?.(name);
  };
  const context: FoldContext = { engine, alone, onStep: step };
  const folded = await foldSums(context, { fromBatches });
  await makeFilters({ ...instance, alone, onStep: step });
  // How far the archive is never goes back: at worst too many are kept.
  const archive = settings.raw_archive.enabled ? await readArchiveState(instance.directory.raw) : undefined;
  const unarchived = archive && { source: COLLECTOR_SOURCE, nextEntry: archive.nextEntry };
  await alone(() => engine.transaction(() => dropOldPositions(engine, unarchived)));
  step('positions dropped');
  const forgotten = await forgetBatches(context, {
    nowMicros: nowMicros(),
    asOfHours: settings.housekeeping.as_of_hours,
    asOfDays: settings.housekeeping.as_of_days,
    keep: await lakeBatches(instance),
    fromBatches: fromBatches === 0 ? 0 : FORGET_FROM_BATCHES,
  });
  return { ...folded, forgotten };
}

/** `recon` compares the lake with the tables as of these. */
async function lakeBatches({ directory }: Instance): Promise<number[]> {
  const manifest = await readManifest(directory.lake);
  return (manifest?.tables ?? []).map(({ batch }) => batch).filter((batch) => batch > 0);
}
