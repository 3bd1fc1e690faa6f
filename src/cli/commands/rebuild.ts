import { AdvertiseXError } from '../../domain/errors.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { parseDay } from '../option-values.ts';
import { withInstance } from '../with-instance.ts';

export const rebuild: CommandDefinition = {
  name: 'rebuild',
  summary: 'derive all figures anew from the accepted events',
  description:
    'Derives campaigns, verdicts on clicks, attribution and sums anew, by the settings and reference data of today. What differs is restated with the cause `model`; the figures of before stay readable with --as-of. With --from-raw, makes all tables of an empty data directory from a raw archive instead.',
  examples: ['advertisex rebuild', 'advertisex rebuild --from 2026-03-01', 'advertisex rebuild --from-raw advertisex-data/raw --data new-data'],
  declare: (command) => {
    command.option('--from <date>', 'only what happened on this day (UTC) or later', parseDay);
    command.option('--from-raw <folder>', 'make the tables of an empty data directory from this raw archive (raw_archive.enabled)');
  },

  run: (context, _parameters, options) => {
    if (options.fromRaw !== undefined) return rebuildFromRaw(context, String(options.fromRaw), options.from !== undefined);
    return withInstance<ExitCode>(context, 'rebuild', 'rebuild', async (instance) => {
      const app = await import('../../app/rebuild.ts');
      const progress = context.messages.progress('Rebuilding');
      try {
        const { batchId, restated } = await app.rebuild(instance, options.from as string | undefined);
        progress.stop();
        await context.output.one(
          { batch: batchId, restated },
          `Batch ${batchId} restated ${restated.toLocaleString('en')} ${restated === 1 ? 'row' : 'rows'}.`,
        );
        return 0;
      } finally {
        progress.stop();
      }
    });
  },
};

function rebuildFromRaw(context: CommandContext, folder: string, hasFrom: boolean): Promise<ExitCode> {
  if (hasFrom) throw new AdvertiseXError('usage', '--from and --from-raw do not go together', 'An archive is taken whole: leave --from out.');
  return withInstance<ExitCode>(context, 'rebuild', 'write', async (instance) => {
    const app = await import('../../app/rebuild-from-raw.ts');
    const progress = context.messages.progress('Rebuilding from the raw archive', { unit: 'records' });
    try {
      const done = await app.rebuildFromRaw(instance, context.path(folder), (records) => progress.update(records));
      progress.stop();
      const { received, accepted, duplicate, quarantined } = done.outcomes;
      await context.output.one(
        done,
        `${count(received)} records of ${done.files} ${done.files === 1 ? 'file' : 'files'}: ${count(accepted)} accepted, ${count(duplicate)} duplicate, ${count(quarantined)} quarantined.`,
      );
      return 0;
    } finally {
      progress.stop();
    }
  });
}

function count(value: number): string {
  return value.toLocaleString('en');
}
