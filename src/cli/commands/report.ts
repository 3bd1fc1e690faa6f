import { Argument, Option } from 'commander';
import type { Instance } from '../../app/instance.ts';
import type { CampaignReportOptions } from '../../app/report-campaigns.ts';
import { ATTRIBUTION_MODELS, type AttributionModel } from '../../domain/feeds.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { asOfOption, parseDay } from '../option-values.ts';
import { fitColumns } from '../output/fit-columns.ts';
import { withInstance } from '../with-instance.ts';

/** What a table shows where there is no room for all. */
const MOST_IMPORTANT_FIRST = [
  ...['report_date', 'hour', 'campaign_id', 'impressions', 'valid_impressions', 'clicks', 'valid_clicks', 'conversions', 'spend_micros'],
  ...['ctr', 'cpa', 'roas', 'cvr', 'reach', 'ecpm', 'value_micros', 'cpc', 'frequency', 'win_rate', 'pricing', 'name'],
];
const WIDTH_WITHOUT_TERMINAL = 100;

export const report: CommandDefinition = {
  name: 'report',
  summary: 'the figures of campaigns with their ratios',
  description:
    'Impressions and clicks (all and valid), credited conversions, spend and ratios of each campaign. Conversions, value and what follows from them are credit by the attribution model, on the day of the touch. A table shows the columns that fit; --wide, --format json and --format csv show all. docs/guides/what-each-figure-means.md explains each.',
  examples: [
    'advertisex report campaigns',
    'advertisex report campaigns --from 2026-03-01 --to 2026-03-07 --by day --model linear',
    'advertisex report campaigns --as-of 3 --format csv',
  ],
  declare: (command) => {
    command.addArgument(new Argument('<what>', 'what to report on').choices(['campaigns']));
    command.option('--from <date>', 'first day', parseDay);
    command.option('--to <date>', 'last day', parseDay);
    command.option('--campaign <id>', 'one campaign, by its campaign_id');
    command.addOption(new Option('--by <period>', 'a row for each campaign and period').choices(['day', 'hour']));
    command.addOption(new Option('--model <model>', 'attribution model').choices(ATTRIBUTION_MODELS).default('last_touch'));
    command.addOption(asOfOption());
    command.option('--wide', 'every column, whatever the width of the terminal');
  },

  run: (context, _parameters, options) =>
    withInstance<ExitCode>(context, 'report', 'read', async (instance) => {
      const { from, to, campaign, by, model, asOf, wide } = options as {
        from?: string;
        to?: string;
        campaign?: string;
        by?: 'day' | 'hour';
        model: AttributionModel;
        asOf?: number;
        wide?: boolean;
      };
      await showCampaigns(
        context,
        instance,
        {
          model,
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
          ...(campaign === undefined ? {} : { campaign }),
          ...(by === undefined ? {} : { by }),
          ...(asOf === undefined ? {} : { asOf }),
        },
        wide,
      );
      return 0;
    }),
};

export async function showCampaigns(context: CommandContext, instance: Instance, options: CampaignReportOptions, wide = false): Promise<void> {
  const { reportCampaigns } = await import('../../app/report-campaigns.ts');
  const result = await reportCampaigns(instance, options);
  if (wide || context.output.format !== 'table') return context.output.table(result);
  const rows = [];
  const campaign = result.columns.findIndex((column) => column.name === 'campaign_id');
  // Events whose campaign is not known are counted, under no campaign.
  for await (const row of result.rows) rows.push(row.map((value, index) => (index === campaign && value === null ? '(unresolved)' : value)));
  await context.output.table(fitColumns({ columns: result.columns, rows }, MOST_IMPORTANT_FIRST, context.host.stdout.width ?? WIDTH_WITHOUT_TERMINAL));
}
