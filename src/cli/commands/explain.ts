import { Argument } from 'commander';
import { plainObject } from '../../rendering/plain-object.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import { asOfOption } from '../option-values.ts';
import { listOfFields, rowsTable } from '../output/engine-rows.ts';
import { withInstance } from '../with-instance.ts';

export const explain: CommandDefinition = {
  name: 'explain',
  summary: 'why an event is counted and credited as it is',
  description:
    'Of a conversion: every touch that could have got credit, and the rule that took or dropped it, with the credit by each model. Of a click: the impressions that it could belong to. Of any event: where its record came from, and what later batches changed. The first digits of the key are enough.',
  examples: ['advertisex explain conversion 9b1c4e7d', 'advertisex explain event 9b1c4e7d --as-of 2 --format json'],
  declare: (command) => {
    command.addArgument(new Argument('<what>', 'what the key is of').choices(['conversion', 'event']));
    command.argument('<key>', 'event_key, or conversion_key of gold.attribution');
    command.addOption(asOfOption());
  },

  run: (context, [what, key], options) =>
    withInstance<ExitCode>(context, 'explain', 'read', async (instance) => {
      const app = await import('../../app/explain.ts');
      const { eventType, event, restatements, candidates } = await app.explain(instance, String(key), options.asOf as number | undefined);
      if (what === 'conversion' && eventType !== 'conversion')
        context.messages.warn(`${String(key)} is ${eventType === 'impression' ? 'an' : 'a'} ${eventType.replace('_', ' ')}, not a conversion.`);
      if (context.output.format !== 'table') {
        // A table of candidates is what a spreadsheet is for; JSON has all of it.
        if (context.output.format === 'csv' && candidates !== undefined) await context.output.table(candidates);
        else
          await context.output.one(
            { eventType, event: plainObject(event), restatements: restatements.map(plainObject), candidates: await objects(candidates) },
            listOfFields(event),
          );
        return 0;
      }
      await context.output.text(`${eventType.replace('_', ' ')}\n`);
      await context.output.table(listOfFields(event));
      if (candidates !== undefined) {
        await context.output.text(`\n${eventType === 'conversion' ? 'touches of the user, the latest first' : 'impressions of the user, the latest first'}\n`);
        await context.output.table(candidates);
      }
      if (restatements.length > 0) {
        await context.output.text('\nrestated\n');
        await context.output.table(rowsTable(restatements));
      }
      return 0;
    }),
};

async function objects(table: Awaited<ReturnType<typeof import('../../app/explain.ts').explain>>['candidates']): Promise<unknown[] | null> {
  if (table === undefined) return null;
  const rows: unknown[] = [];
  for await (const row of table.rows) rows.push(plainObject(Object.fromEntries(table.columns.map(({ name }, index) => [name, row[index] ?? null]))));
  return rows;
}
