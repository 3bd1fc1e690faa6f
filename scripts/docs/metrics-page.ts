import { loadModels } from '../../src/batches/models.ts';
import { FEEDS } from '../../src/domain/feeds.ts';
import { ALERT_RULES } from '../../src/telemetry/alert-rules.ts';
import { METRICS } from '../../src/telemetry/metric-table.ts';
import { BATCH_STAGES } from '../../src/telemetry/stage-clock.ts';
import { MADE_BY, markdownTable } from './markdown.ts';

const code = (text: string): string => `\`${text}\``;
const list = (names: readonly string[]): string => names.map(code).join(', ');

/** All that `/metrics` may show. */
export function metricsPage(): string {
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => [code(name), type, list(labels), `${help}.`]);
  const equations = [...loadModels().values()].filter(({ kind }) => kind === 'check').map(({ path }) => path.replace('recon/', ''));
  const labels: readonly (readonly [string, string])[] = [
    ['feed', list(FEEDS)],
    [
      'source',
      `of records: ${code('http')} for what came by the log of the collector, ${code('files')} for all files together; of \`advertisex_source_…\`: also ${code('stdin')}, ${code('commands')} and the path of each watched folder or bucket`,
    ],
    ['outcome', list(['accepted', 'duplicate', 'quarantined'])],
    ['code', 'of a record: one of the [quarantine codes](quarantine-codes.md); of a batch that failed: one of the [errors](../errors.md), or `unexpected`'],
    ['cause', `${list(['late', 'replay', 'reference', 'erasure', 'model', 'retention'])}: what the batch brought, and so why it restates`],
    ['stage', list(BATCH_STAGES)],
    ['equation', list([...equations.sort(), '7-lake'])],
    ['rule', Object.keys(ALERT_RULES).map(code).join(', ')],
    ['method, route, status', 'of a request: the route is a pattern like `/v1/events/:feed`, or `none`'],
    ['task', list(['settle', 'fold', 'expire', 'lake'])],
    ['kind', list(['cut', 'damaged', 'missing'])],
    ['part', list(['database', 'wal', 'archive', 'lake', 'staging', 'spill', 'log', 'raw'])],
  ];
  return `${MADE_BY}
# Metrics

\`GET /metrics\` of \`advertisex up\` shows these, in the text format of Prometheus or, by \`Accept\`, as OpenMetrics 1.0.
[Watching it run](../guides/watch-it-run.md) shows how to scrape them and what to ask. They count what this process committed
since it started. Histograms have \`_bucket\`, \`_sum\` and \`_count\`.

${markdownTable(['metric', 'type', 'labels', 'is'], rows)}

## Labels

${markdownTable(
  ['label', 'values'],
  labels.map(([label, values]) => [label.split(', ').map(code).join(', '), values]),
)}

## Alerts

${markdownTable(
  ['rule', 'fires when'],
  Object.entries(ALERT_RULES).map(([rule, meaning]) => [code(rule), `${meaning}.`]),
)}
`;
}
