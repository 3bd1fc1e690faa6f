import type { Reconciliation } from '../../app/recon.ts';
import type { CommandDefinition } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { withInstance } from '../with-instance.ts';

export const recon: CommandDefinition = {
  name: 'recon',
  summary: 'check the equations that have to hold; exit 1 with the rows that break one',
  description:
    'Reconciles what was received with what is in the tables: every record has one outcome, hours sum to days and facts to sums, credit sums to conversions. Names the rows that break an equation and exits with 1.',
  examples: ['advertisex recon', 'advertisex recon --format json'],

  run: (context) =>
    withInstance(context, 'recon', 'read', async (instance) => {
      const { reconcile } = await import('../../app/recon.ts');
      const results = await reconcile(instance);
      await showReconciliation(context, results);
      return results.every(({ holds }) => holds) ? 0 : 1;
    }),
};

export async function showReconciliation(context: CommandContext, results: readonly Reconciliation[]): Promise<void> {
  if (context.output.format === 'json') {
    await context.output.one(
      results.map(({ columns, rows, ...result }) => ({
        ...result,
        rows: rows.map((row) => Object.fromEntries(row.map((value, index) => [columns[index]?.name, value]))),
      })),
      '',
    );
    return;
  }
  await context.output.table({
    columns: [
      { name: 'equation', kind: 'integer' },
      { name: 'statement', kind: 'text' },
      { name: 'holds', kind: 'text' },
      { name: 'broken_rows', heading: 'broken rows', kind: 'count' },
    ],
    rows: results.map(({ equation, statement, holds, brokenRows }) => [equation, statement, holds ? 'yes' : 'NO', brokenRows]),
  });
  if (context.output.format !== 'table') return;
  for (const { name, holds, columns, rows, brokenRows } of results) {
    if (holds) continue;
    await context.output.text(
      `\n${name}: ${brokenRows} ${brokenRows === 1 ? 'row breaks' : 'rows break'} it${rows.length < brokenRows ? `, the first ${rows.length} of them` : ''}\n`,
    );
    await context.output.table({ columns, rows });
  }
}
