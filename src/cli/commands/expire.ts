import type { ExpiredTable } from '../../app/expire.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { withInstance } from '../with-instance.ts';
import { exportWithProgress } from './lake.ts';

export const expire: CommandDefinition = {
  name: 'expire',
  summary: 'remove what is older than the settings keep it',
  description:
    'Removes whole days that are older than retention says, table by table, and says in the books what went: recon holds as before. Sums by hour and day are kept for ever where gold_days does not say otherwise. The lake follows. Without retention in the settings nothing is removed.',
  examples: ['advertisex expire --dry-run', 'advertisex expire'],
  declare: (command) => void command.option('--dry-run', 'say what would go, and remove nothing'),

  run: (context, _parameters, options) =>
    withInstance<ExitCode>(context, 'expire', options.dryRun === true ? 'read' : 'write', async (instance) => {
      const app = await import('../../app/expire.ts');
      if (options.dryRun === true) {
        await show(context, await app.plannedExpiry(instance));
        return 0;
      }
      const gone = await app.expire(instance);
      await show(context, gone);
      if (gone.length > 0 && instance.settings.lake.after_ingest) await exportWithProgress(context, instance);
      return 0;
    }),
};

async function show(context: CommandContext, tables: readonly ExpiredTable[]): Promise<void> {
  await context.output.one(tables, {
    columns: [
      { name: 'table', kind: 'text' },
      { name: 'before', kind: 'text' },
      { name: 'first_day', heading: 'first day', kind: 'text' },
      { name: 'last_day', heading: 'last day', kind: 'text' },
      { name: 'days', kind: 'count' },
      { name: 'rows', kind: 'count' },
    ],
    rows: tables.map(({ table, before, firstDay, lastDay, days, rows }) => [table, before, firstDay, lastDay, days, rows]),
  });
  if (tables.length === 0) context.messages.note('Nothing is older than it is kept.');
}
