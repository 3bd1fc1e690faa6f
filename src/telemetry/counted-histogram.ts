type Labels = Readonly<Record<string, string>>;

/** A line of what is shown. */
export interface ShownValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

interface Series {
  readonly labels: Labels;
  /** By bucket, the last one without an end. */
  readonly counts: Float64Array;
  sum: number;
}

/**
 * A histogram that takes many equal observations, or whole counts of them, in one call. That of prom-client takes one at a time, and
 * what is observed here are records: a batch has up to a million.
 */
export class CountedHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  private readonly bounds: readonly number[];
  private readonly series = new Map<string, Series>();

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.bounds = bounds;
  }

  observe(labels: Labels, value: number, times: number): void {
    const series = this.seriesOf(labels);
    let bucket = 0;
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket++;
    (series.counts[bucket] as number) += times;
    series.sum += value * times;
  }

  /** Observations that were counted elsewhere, by the same bounds. */
  add(labels: Labels, counts: readonly number[], sum: number): void {
    const series = this.seriesOf(labels);
    for (let bucket = 0; bucket <= this.bounds.length; bucket++) (series.counts[bucket] as number) += counts[bucket] ?? 0;
    series.sum += sum;
  }

  /** What the registry asks for. */
  async get(): Promise<{ name: string; help: string; type: string; values: ShownValue[] }> {
    return { name: this.name, help: this.help, type: this.type, values: [...this.values()] };
  }

  private *values(): Generator<ShownValue> {
    for (const { labels, counts, sum } of this.series.values()) {
      let count = 0;
      for (const [bucket, more] of counts.entries()) {
        count += more;
        yield { metricName: `${this.name}_bucket`, labels: { ...labels, le: this.bounds[bucket] ?? '+Inf' }, value: count };
      }
      yield { metricName: `${this.name}_sum`, labels, value: sum };
      yield { metricName: `${this.name}_count`, labels, value: count };
    }
  }

  private seriesOf(labels: Labels): Series {
    const key = Object.values(labels).join('\n');
    let series = this.series.get(key);
    if (series === undefined) {
      series = { labels: { ...labels }, counts: new Float64Array(this.bounds.length + 1), sum: 0 };
      this.series.set(key, series);
    }
    return series;
  }
}
