/** A metric as a scrape has it, by the rules of the format: everything that is not in it is refused. */
export interface ShownMetric {
  readonly type: string;
  readonly help: string;
  readonly samples: { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\["\\\\n])*)"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (-?[0-9.]+(?:e[+-]?\\d+)?|[+-]Inf|NaN)$`);

/** Reads a text of Prometheus, or with `open` one of OpenMetrics. By name, for OpenMetrics without `_total`. */
export function readExposition(text: string, open = false): Map<string, ShownMetric> {
  const metrics = new Map<string, ShownMetric>();
  let lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('The last line does not end');
  if (open && lines.pop() !== '# EOF') throw new Error('OpenMetrics ends with # EOF');
  if (open && lines.includes('')) throw new Error('OpenMetrics has no empty lines');
  lines = lines.filter((line) => line !== '');
  let current: ShownMetric | undefined;
  let name = '';
  for (const [index, line] of lines.entries()) {
    const [, helpOf, help] = /^# HELP (\S+) (.+)$/.exec(line) ?? [];
    if (helpOf !== undefined && help !== undefined) {
      const type = new RegExp(`^# TYPE ${helpOf} (counter|gauge|histogram)$`).exec(lines[index + 1] ?? '')?.[1];
      if (type === undefined || metrics.has(helpOf)) throw new Error(`No type behind, or twice: ${line}`);
      current = { type, help, samples: [] };
      name = helpOf;
      metrics.set(name, current);
    } else if (!line.startsWith('# TYPE ')) {
      current?.samples.push(readSample(line, name, current.type, open));
    }
  }
  for (const [histogram, metric] of metrics) if (metric.type === 'histogram') requireWholeHistogram(histogram, metric);
  return metrics;
}

function readSample(line: string, metric: string, type: string, open: boolean): ShownMetric['samples'][number] {
  const match = SAMPLE.exec(line);
  if (match === null) throw new Error(`No sample: ${line}`);
  const [, name = '', labels = ''] = match;
  const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : type === 'counter' && open ? ['_total'] : [''];
  if (!suffixes.some((suffix) => name === `${metric}${suffix}`)) throw new Error(`${name} does not belong to ${metric}`);
  const value = match.at(-1) as string;
  return {
    name,
    labels: Object.fromEntries([...labels.matchAll(new RegExp(LABEL, 'g'))].map(([, label = '', text = '']) => [label, text])),
    value: Number(value.replace('Inf', 'Infinity')),
  };
}

function requireWholeHistogram(name: string, { samples }: ShownMetric): void {
  const series = new Map<string, number[]>();
  for (const sample of samples) {
    const { le, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    if (sample.name.endsWith('_bucket')) series.set(key, [...(series.get(key) ?? []), sample.value]);
    const counts = series.get(key) ?? [];
    if (sample.name.endsWith('_bucket') && counts.length > 1 && sample.value < (counts.at(-2) as number))
      throw new Error(`${name}: a bucket has less than the one below`);
    if (sample.name.endsWith('_count') && sample.value !== counts.at(-1)) throw new Error(`${name}: its count is not that of its last bucket`);
    void le;
  }
}

/** The sum of samples whose labels are these, or have these among them. */
export function sumOf(metrics: ReadonlyMap<string, ShownMetric>, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const metric = metrics.get(name) ?? metrics.get(name.replace(/_(bucket|sum|count)$/, ''));
  if (metric === undefined) throw new Error(`There is no metric ${name}`);
  const samples = metric.samples.filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value));
  return samples.reduce((sum, { value }) => sum + value, 0);
}
