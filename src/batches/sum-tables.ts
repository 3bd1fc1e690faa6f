import { ATTRIBUTION_MODELS } from '../domain/feeds.ts';
import type { Table, TableColumn } from '../domain/table.ts';

/** Sums as what each batch added to a row of their grain, and where the rows go that a fold has put together. */
export interface SumTable {
  readonly table: Table;
  /**
   * Rows that were folded into one of `until_batch`. They hold as of their own batch and those after it, before that one:
   * `models/views/store.current_<table>` puts the two together.
   */
  readonly folded: Table;
  readonly grain: readonly string[];
  readonly measures: readonly string[];
}

const BATCH: TableColumn = { name: 'batch_id', type: 'bigint' };

function sumTable(name: string, grain: readonly TableColumn[], measures: readonly string[]): SumTable {
  const columns = [...grain, ...measures.map((measure): TableColumn => ({ name: measure, type: 'bigint' })), BATCH];
  return {
    table: { name, columns },
    folded: { name: `${name}_folded`, columns: [...columns, { name: 'until_batch', type: 'bigint' }] },
    grain: grain.map((column) => column.name),
    measures,
  };
}

const REPORT_DATE: TableColumn = { name: 'report_date', type: 'date' };
const id = (name: string): TableColumn => ({ name, type: 'varchar' });

const IMPRESSIONS = ['impressions', 'valid_impressions', 'cost_cpm_micros'];
const BIDS = ['bid_requests', 'bids_with_outcome', 'bids_won'];

/** Each has a `report_date` in its grain. */
export const SUM_TABLES: readonly SumTable[] = [
  sumTable(
    'campaign_hourly',
    [{ name: 'hour', type: 'timestamp' }, REPORT_DATE, id('campaign_id')],
    [
      ...['impressions', 'valid_impressions', 'priced_impressions', 'cost_cpm_micros', 'clicks', 'valid_clicks', 'matched_clicks'],
      ...[...BIDS, 'conversions', 'conversion_value_micros'],
      ...ATTRIBUTION_MODELS.flatMap((model) => [`${model}_ppm`, `${model}_value_micros`, `${model}_click_ppm`]),
    ],
  ),
  sumTable('creative_daily', [REPORT_DATE, id('creative_id'), id('campaign_id')], IMPRESSIONS),
  sumTable('website_daily', [REPORT_DATE, id('website')], IMPRESSIONS),
  sumTable('auction_daily', [REPORT_DATE, id('campaign_id'), id('space_id')], [...BIDS, 'amount_cpm_micros', 'clearing_cpm_micros']),
];

/** Up to which batch the sums of a table were folded. */
export const FOLD_MARKS: Table = { name: 'fold_marks', columns: [{ name: 'table_name', type: 'varchar' }, batchColumn('folded_to')] };

/** Batches as of which sums cannot be read any more, both ends included: what only they needed is gone. */
export const FOLDS: Table = {
  name: 'folds',
  columns: [batchColumn('first_batch'), batchColumn('last_batch'), { name: 'folded_at', type: 'timestamp' }],
};

function batchColumn(name: string): TableColumn {
  return { name, type: 'bigint' };
}
