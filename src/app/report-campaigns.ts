import { AdvertiseXError } from '../domain/errors.ts';
import { ATTRIBUTION_MODELS, type AttributionModel } from '../domain/feeds.ts';
import type { ResultTable } from '../domain/result-table.ts';
import type { Instance } from './instance.ts';
import { readAsOf } from './query.ts';
import { describeColumns } from './result-tables.ts';

export interface CampaignReportOptions {
  /** Reporting days, both included, `YYYY-MM-DD`; absent: from the first, to the last. */
  readonly from?: string;
  readonly to?: string;
  /** A row a campaign and day or hour (UTC); absent: a row a campaign over the whole period. */
  readonly by?: 'day' | 'hour';
  readonly model?: AttributionModel;
  readonly asOf?: number;
  /** The figures of one campaign. */
  readonly campaign?: string;
  /** False: reach and frequency are NULL. Users are counted by going over every impression of the period, which is most of the work. */
  readonly reach?: boolean;
}

/**
 * Campaign figures with their ratios. Measures are sums, ratios quotients of sums over the row's period, reach counts the
 * users of that period. Conversions, and the value and click conversions with them, are credit in 10⁻⁶ (`*_ppm`) by touch date.
 */
export async function reportCampaigns(instance: Instance, options: CampaignReportOptions = {}): Promise<ResultTable> {
  const model = options.model ?? 'last_touch';
  if (!ATTRIBUTION_MODELS.includes(model))
    throw new AdvertiseXError('usage', `There is no attribution model ${model}`, `Choose one of ${ATTRIBUTION_MODELS.join(', ')}.`);
  await readAsOf(instance, options.asOf);
  const result = await instance.engine.query(reportSql(model, options.by, options.campaign !== undefined, options.reach ?? true), {
    from: dayBound(options.from, '0001-01-01'),
    to: dayBound(options.to, '9999-12-31'),
    ...(options.campaign === undefined ? {} : { campaign: options.campaign }),
  });
  return describeColumns(result, COLUMNS);
}

const COLUMNS = {
  campaign_id: { heading: 'campaign' },
  impressions: { kind: 'count' },
  valid_impressions: { heading: 'valid', kind: 'count' },
  clicks: { kind: 'count' },
  valid_clicks: { heading: 'valid', kind: 'count' },
  ctr: { kind: 'ratio' },
  conversions: { kind: 'decimal' },
  cvr: { kind: 'ratio' },
  value_micros: { heading: 'value', kind: 'money_micros' },
  spend_micros: { heading: 'spend', kind: 'money_micros' },
  win_rate: { kind: 'ratio' },
  reach: { kind: 'count' },
} as const;

const PERIODS = {
  day: { column: 'report_date', impressionPeriod: 'report_date' },
  hour: { column: 'hour', impressionPeriod: "date_trunc('hour', event_time)" },
} as const;

function reportSql(model: AttributionModel, by: 'day' | 'hour' | undefined, isOfOneCampaign: boolean, hasReach: boolean): string {
  const period = by === undefined ? undefined : PERIODS[by];
  const inPeriod = `report_date between cast($from as date) and cast($to as date)${isOfOneCampaign ? ' and campaign_id = $campaign' : ''}`;
  // Where impressions of the period are removed, nobody knows any more how many users it reached.
  const reachIsKnown = 's.first_day >= known.reach_from';
  const group = period === undefined ? 'campaign_id' : `${period.column}, campaign_id`;
  return `
    with summed as (
      select ${group}, min(report_date) as first_day,
             sum(impressions) as impressions, sum(valid_impressions) as valid_impressions, sum(priced_impressions) as priced_impressions,
             sum(cost_cpm_micros) as cost_cpm_micros, sum(clicks) as clicks, sum(valid_clicks) as valid_clicks,
             sum(bid_requests) as bid_requests, sum(bids_with_outcome) as bids_with_outcome, sum(bids_won) as bids_won,
             sum(${model}_ppm) as conversions_ppm, sum(${model}_value_micros) as value_micros, sum(${model}_click_ppm) as click_conversions_ppm
      from store.current_campaign_hourly where ${inPeriod}
      group by ${group}
      having sum(impressions) <> 0 or sum(clicks) <> 0 or sum(bid_requests) <> 0 or sum(conversions) <> 0
    ), reached as (
      select ${period === undefined ? '' : `${period.impressionPeriod} as ${period.column}, `}campaign_id, count(distinct user_id) as reach
      from store.current_exposures where ${hasReach ? 'valid' : 'false'} and ${inPeriod}
      group by ${period === undefined ? '' : '1, '}campaign_id
    ), known as (
      select coalesce(max(kept_from), date '0001-01-01') as reach_from from store.kept where table_name = 'impressions'
    ), spent as (
      select s.*, r.name, r.pricing_model,
             spend_e12(r.pricing_model, r.rate_micros, cost_cpm_micros, valid_impressions, priced_impressions, valid_clicks, conversions_ppm) as spend_e12
      from summed s left join ref.campaigns r on r.campaign_id = s.campaign_id
    )
    select ${period === undefined ? '' : `s.${period.column}, `}s.campaign_id, s.name, s.pricing_model as pricing,
           cast(impressions as bigint) as impressions, cast(valid_impressions as bigint) as valid_impressions,
           cast(clicks as bigint) as clicks, cast(valid_clicks as bigint) as valid_clicks,
           ratio(valid_clicks, valid_impressions) as ctr,
           cast(conversions_ppm as decimal(38, 6)) / 1000000 as conversions,
           ratio(click_conversions_ppm, valid_clicks) / 1000000 as cvr,
           cast(value_micros as bigint) as value_micros,
           cast(round(spend_e12 / 1000000) as bigint) as spend_micros,
           ratio(spend_e12, conversions_ppm) / 1000000 as cpa,
           ratio(spend_e12, valid_clicks) / 1000000000000 as cpc,
           ratio(spend_e12, valid_impressions) / 1000000000 as ecpm,
           ratio(cast(value_micros as decimal(38, 0)) * 1000000, spend_e12) as roas,
           ratio(bids_won, bids_with_outcome) as win_rate,
           ${hasReach ? `case when ${reachIsKnown} then coalesce(reach, 0) end` : 'reach'} as reach, case when ${reachIsKnown} then ratio(valid_impressions, reach) end as frequency
    from spent s
    cross join known
    left join reached r on r.campaign_id is not distinct from s.campaign_id${period === undefined ? '' : ` and r.${period.column} = s.${period.column}`}
    order by ${period === undefined ? '' : `s.${period.column}, `}impressions desc, s.campaign_id`;
}

function dayBound(day: string | undefined, otherwise: string): string {
  if (day === undefined) return otherwise;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(Date.parse(`${day}T00:00:00Z`))) {
    throw new AdvertiseXError('usage', `${day} is not a day`, 'Write days as YYYY-MM-DD, for example 2026-03-14.');
  }
  return day;
}
