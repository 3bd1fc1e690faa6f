import type { CommandDefinition, ExitCode } from '../command.ts';
import { asOfOption } from '../option-values.ts';
import { withInstance } from '../with-instance.ts';

export const query: CommandDefinition = {
  name: 'query',
  summary: 'run read-only SQL over all tables',
  description:
    'Runs one query over the tables in the schemas silver, gold, ops and ref, and changes nothing. `advertisex query "SHOW ALL TABLES"` lists them with their columns.',
  examples: [
    `advertisex query "SELECT campaign_id, sum(valid_clicks) FROM gold.campaign_daily GROUP BY ALL"`,
    `advertisex query "SELECT count(*) FROM silver.conversions" --as-of 3 --format json`,
  ],
  declare: (command) => void command.argument('<sql>', 'one query').addOption(asOfOption()),

  run: (context, [sql], options) =>
    withInstance<ExitCode>(context, 'query', 'read', async (instance) => {
      const app = await import('../../app/query.ts');
      await context.output.table(await app.query(instance, String(sql), options.asOf as number | undefined));
      return 0;
    }),
};
