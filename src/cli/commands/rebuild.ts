import type { CommandDefinition, ExitCode } from '../command.ts';
import { parseDay } from '../option-values.ts';
import { withInstance } from '../with-instance.ts';

export const rebuild: CommandDefinition = {
  name: 'rebuild',
  summary: 'derive all figures anew from the accepted events',
  description:
    'Derives campaigns, verdicts on clicks, attribution and sums anew, by the settings and reference data of today. What differs is restated with the cause `model`; the figures of before stay readable with --as-of.',
  examples: ['advertisex rebuild', 'advertisex rebuild --from 2026-03-01'],
  declare: (command) => void command.option('--from <date>', 'only what happened on this day (UTC) or later', parseDay),

  run: (context, _parameters, options) =>
    withInstance<ExitCode>(context, 'rebuild', 'rebuild', async (instance) => {
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
    }),
};
