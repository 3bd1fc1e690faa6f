import type { CommandDefinition, ExitCode } from '../command.ts';
import { withInstance } from '../with-instance.ts';

export const compact: CommandDefinition = {
  name: 'compact',
  summary: 'fold what many batches added to the same figures into one row each',
  description:
    'Puts together what batches added to the same figures, so that reports stay quick after any number of batches; `up` does so all the time, and `ingest` after many batches. What is older than housekeeping.as_of_hours can then be read --as-of the last batch of each day only, for housekeeping.as_of_days; ops.folds lists the batches that sums cannot be read as of any more. No figure of now changes.',
  examples: ['advertisex compact'],

  run: (context) =>
    withInstance<ExitCode>(context, 'compact', 'write', async (instance) => {
      const { compactInstance } = await import('../../app/compact.ts');
      const { rows, into, forgotten } = await compactInstance(instance, { fromBatches: 0 });
      await instance.engine.settle('all');
      const folded = `Folded ${rows.toLocaleString('en')} rows of sums into ${into.toLocaleString('en')}`;
      const old = forgotten === 0 ? '' : `; ${forgotten.toLocaleString('en')} old batches cannot be asked for --as-of any more`;
      await context.output.one({ rows, into, forgotten }, `${folded}${old}.`);
      return 0;
    }),
};
