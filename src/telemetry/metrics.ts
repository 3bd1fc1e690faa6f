import { Counter, Gauge, type Metric, type OpenMetricsContentType, Registry } from 'prom-client';
import { CountedHistogram } from './counted-histogram.ts';
import { type CounterName, type GaugeName, type HistogramName, type LabelsOf, METRICS, type MetricName } from './metric-table.ts';

/** Formats that `/metrics` has: that of Prometheus, and OpenMetrics 1.0. */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** The metrics of one process, in a registry of their own: names and labels are those of the table. */
export class Metrics {
  private readonly registries = {
    prometheus: new Registry(),
    openmetrics: new Registry<OpenMetricsContentType>(),
  };
  private readonly counters = new Map<string, Counter>();
  private readonly gauges = new Map<string, Gauge>();
  private readonly histograms = new Map<string, CountedHistogram>();
  private readonly totals = new Map<string, number>();
  private readonly refreshers: (() => void | Promise<void>)[] = [];

  constructor() {
    this.registries.openmetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    for (const [name, { type, labels, help, ...more }] of Object.entries(METRICS)) {
      const options = { name, help, labelNames: [...labels], registers: [] };
      if (type === 'counter') this.counters.set(name, this.register(new Counter(options), true));
      else if (type === 'gauge') this.gauges.set(name, this.register(new Gauge(options)));
      else this.histograms.set(name, this.register(new CountedHistogram(name, help, 'buckets' in more ? more.buckets : [])));
    }
    // A gauge without labels is shown as 0 before anything is known; what is not known is not shown.
    for (const [name, gauge] of this.gauges) if (METRICS[name as MetricName].labels.length === 0) gauge.remove();
  }

  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, amount = 1): void {
    (this.counters.get(name) as Counter).inc(labels as Record<string, string>, amount);
  }

  /** Of what is counted elsewhere, since the process began. */
  addUpTo<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, total: number): void {
    const key = `${name} ${Object.values(labels).join(' ')}`;
    this.add(name, labels, total - (this.totals.get(key) ?? 0));
    this.totals.set(key, total);
  }

  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    (this.gauges.get(name) as Gauge).set(labels as Record<string, string>, value);
  }

  /** The same value, so many times. */
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number, times = 1): void {
    (this.histograms.get(name) as CountedHistogram).observe(labels as Record<string, string>, value, times);
  }

  /** Observations that were counted elsewhere, by the buckets of the table. */
  addCounts<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, counts: readonly number[], sum: number): void {
    (this.histograms.get(name) as CountedHistogram).add(labels as Record<string, string>, counts, sum);
  }

  /** What is measured when it is asked for. Where it fails, what it would have set is as it was. */
  onExpose(refresh: () => void | Promise<void>): void {
    this.refreshers.push(refresh);
  }

  async expose(format: ExpositionFormat): Promise<Exposition> {
    await Promise.allSettled(this.refreshers.map(async (refresh) => refresh()));
    const registry = this.registries[format];
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  private register<Registered extends ExposedMetric>(metric: Registered, isCounter = false): Registered {
    const { prometheus, openmetrics } = this.registries;
    prometheus.registerMetric(metric as unknown as Metric);
    openmetrics.registerMetric((isCounter ? asOpenMetricsCounter(metric) : metric) as unknown as Metric);
    return metric;
  }
}

/** All that a registry asks of a metric. */
interface ExposedMetric {
  get(): Promise<object>;
}

/**
 * OpenMetrics calls a counter by its name without `_total`. prom-client would rename the counter itself, for the other format as well: here it
 * renames what it is given in its place.
 */
function asOpenMetricsCounter(metric: ExposedMetric): object {
  const { name } = metric as unknown as { readonly name: string };
  return { name, type: 'counter', get: async () => ({ ...(await metric.get()), name: name.replace(/_total$/, '') }) };
}
