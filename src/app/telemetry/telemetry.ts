import type { Batch, CommittedBatch } from '../../batches/batch.ts';
import type { LogDamage } from '../../collector/log/log-damage.ts';
import type { Settings } from '../../config/settings.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { FEEDS } from '../../domain/feeds.ts';
import { QUARANTINE_CODES, type QuarantineCode } from '../../domain/outcome.ts';
import { BesideEngine } from '../../engines/remote/beside-engine.ts';
import { topicName } from '../../sources/kafka/partition-name.ts';
import { ALERT_RULES, type AlertRule } from '../../telemetry/alert-rules.ts';
import { jsonLog, type Log, textLog } from '../../telemetry/log.ts';
import { type Exposition, type ExpositionFormat, Metrics } from '../../telemetry/metrics.ts';
import { watchProcess } from '../../telemetry/process-watch.ts';
import { StageClock } from '../../telemetry/stage-clock.ts';
import type { DiskBudget, DiskState } from '../disk-budget.ts';
import type { Instance } from '../instance.ts';
import type { HousekeepingEvent } from '../live/housekeeping.ts';
import type { LiveEvent, LivePipeline } from '../live/live-pipeline.ts';
import type { SourceEvent, SourceStatus } from '../live/live-source.ts';
import { COLLECTOR_SOURCE } from '../live/log-positions.ts';
import type { TopicFigures } from '../live/topic-source.ts';
import { checksOf } from '../recon.ts';
import { countBatch } from './count-batch.ts';
import { watchDataSizes } from './data-sizes.ts';
import { describeBatch, describeDamage, describeDisk, describeFailure, describeHousekeepingFailure, describeKept, describeRecovery } from './log-lines.ts';
import { ReconciliationWatch } from './reconciliation-watch.ts';
import { type AnsweredRequest, RequestWatch } from './request-watch.ts';

export interface TelemetryOptions {
  readonly log: Settings['log'];
  /** For people, where the log is text. */
  readonly say: { readonly note: (text: string) => void; readonly warn: (text: string) => void };
  /** A line, where the log is JSON. */
  readonly write: (line: string) => void;
  readonly version: string;
  readonly nowMicros: () => number;
  /** Seconds of a clock that nobody sets. */
  readonly nowSeconds: () => number;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** An equation reads all history, and nobody waits for it. */
const RECONCILE_MS = 3_600_000;

/** What is running, to be looked at. */
export interface Watched {
  readonly instance: Instance;
  readonly live: LivePipeline;
  readonly disk?: DiskBudget;
  readonly sources?: { status(): readonly SourceStatus[]; topicFigures(): readonly TopicFigures[] };
  readonly server: { load(): Promise<{ readonly connections: number; readonly bodyBytes: number }> };
}

/** All that a running process tells of itself: what happens is told here, and comes out as metrics and as the log. */
export class Telemetry {
  readonly log: Log;
  private readonly metrics = new Metrics();
  private readonly options: TelemetryOptions;
  private readonly clock: StageClock;
  private readonly requests: RequestWatch;
  private readonly stopping = new AbortController();
  private readonly stopWatchingProcess: () => void;
  private reconciliation: ReconciliationWatch | undefined;
  private hasCommitted = false;

  constructor(options: TelemetryOptions) {
    this.options = options;
    const { log, say, write, version, nowMicros, nowSeconds } = options;
    this.log = log.format === 'json' ? jsonLog(log.level, nowMicros, write) : textLog(log.level, say);
    this.clock = new StageClock(nowSeconds);
    this.requests = new RequestWatch(this.metrics, this.log, nowSeconds);
    this.stopWatchingProcess = watchProcess(this.metrics, version);
    this.beginAtZero();
  }

  /** Told before each step of a batch. */
  readonly onStep = (step: string): void => this.clock.step(step);

  /** Told of each batch once it is committed, before the next one begins. */
  readonly onCommitted = (committed: CommittedBatch, batch: Batch): void => {
    const stages = this.clock.take();
    this.hasCommitted = true;
    try {
      for (const [stage, seconds] of stages) this.metrics.observe('advertisex_batch_duration_seconds', { stage }, seconds);
      countBatch(this.metrics, committed, batch, this.options.nowMicros());
    } catch (error) {
      // A batch that is committed stays so, whether it can be counted or not.
      this.log({
        level: 'warn',
        event: 'count_failed',
        message: `Batch ${committed.batchId} could not be counted.`,
        fields: { batch_id: committed.batchId },
        error,
      });
    }
    this.log(describeBatch(committed, batch, stages));
  };

  readonly onLiveEvent = (event: LiveEvent): void => {
    if (event.what === 'recovered') {
      this.log(describeRecovery(event));
      return;
    }
    const code = event.error instanceof AdvertiseXError ? event.error.code : 'unexpected';
    if (event.what === 'failed') this.metrics.add('advertisex_batch_failures_total', { code });
    if (event.what === 'archive_failed') this.metrics.add('advertisex_archive_failures_total', { code });
    this.log(event.what === 'failed' ? describeFailure(event) : describeKept(event));
  };

  readonly onHousekeeping = (event: HousekeepingEvent): void => {
    const { job: task } = event;
    if (event.what === 'done') this.metrics.observe('advertisex_housekeeping_duration_seconds', { task }, event.milliseconds / 1_000);
    else {
      this.metrics.add('advertisex_housekeeping_failures_total', { task });
      this.log(describeHousekeepingFailure(event));
    }
  };

  readonly onSource = ({ level, message }: SourceEvent): void =>
    this.log({ level: level === 'note' ? 'info' : 'warn', event: level === 'note' ? 'source' : 'source_failed', message });

  readonly onDisk = {
    onChange: (state: DiskState): void => this.log(describeDisk(state)),
    onFailure: (error: unknown): void => this.log({ level: 'warn', event: 'disk_unknown', message: 'The disk cannot be looked at.', error }),
  };

  readonly onDamage = (damage: LogDamage): void => {
    this.metrics.add('advertisex_log_damage_total', { kind: damage.kind });
    this.log(describeDamage(damage));
  };

  readonly onAnswered = (answered: AnsweredRequest): void => this.requests.answered(answered);

  /** What the server tells of what went wrong inside. */
  readonly report = (message: string, cause: unknown, requestId?: string): void => this.requests.failed(message, cause, requestId);

  readonly expose = (format: ExpositionFormat): Promise<Exposition> => this.metrics.expose(format);

  /** Why the process ends; false where the log is for people, who are told by the command line as by any command. */
  tellFailure(error: unknown): boolean {
    if (this.options.log.format === 'text') return false;
    this.log({ level: 'error', event: 'failed', message: error instanceof Error ? error.message : String(error), error });
    return true;
  }

  /** From here on what runs is looked at, and reconciled now and then. */
  async watch({ instance, live, disk, sources, server }: Watched): Promise<void> {
    const { nowSeconds, nowMicros, sleep } = this.options;
    await this.tellLastBatch(instance);
    this.metrics.onExpose(async () => {
      const { connections, bodyBytes } = await server.load();
      this.metrics.set('advertisex_http_connections', {}, connections);
      this.metrics.set('advertisex_http_held_body_bytes', {}, bodyBytes);
    });
    this.metrics.onExpose(() => this.tellLive(live, disk));
    this.metrics.onExpose(() => this.tellSources(sources?.status() ?? []));
    this.metrics.onExpose(() => this.tellTopics(sources?.topicFigures() ?? []));
    watchDataSizes({ metrics: this.metrics, directory: instance.directory, reads: instance.reads, stopping: this.stopping, nowSeconds });
    const { reads, models, directory, settings } = instance;
    if (settings.recon.every_seconds === 0 || reads === undefined) return;
    this.reconciliation = new ReconciliationWatch({
      checks: (stop) => checksOf({ engine: new BesideEngine(reads, stop, { limitMs: RECONCILE_MS, goesOn: true }), models, directory }),
      everySeconds: settings.recon.every_seconds,
      isBusy: () => live.troubles.length > 0,
      metrics: this.metrics,
      log: this.log,
      nowMicros,
      nowSeconds,
      sleep,
    });
  }

  /** Nothing of it reads the tables any more once this resolves: to be called before the instance is closed. What happens is told on. */
  async stopWatching(): Promise<void> {
    this.stopping.abort();
    this.stopWatchingProcess();
    await this.reconciliation?.stop();
  }

  /** Series that are known beforehand are there from the start: the first of something is an increase then, for whoever asks for one. */
  private beginAtZero(): void {
    for (const feed of FEEDS) {
      for (const outcome of ['accepted', 'duplicate', 'quarantined'])
        this.metrics.add('advertisex_events_total', { feed, source: COLLECTOR_SOURCE, outcome }, 0);
      for (const code of Object.keys(QUARANTINE_CODES) as QuarantineCode[]) this.metrics.add('advertisex_quarantined_total', { feed, code }, 0);
    }
    for (const kind of ['cut', 'damaged', 'missing'] satisfies LogDamage['kind'][]) this.metrics.add('advertisex_log_damage_total', { kind }, 0);
    for (const rule of Object.keys(ALERT_RULES)) this.metrics.set('advertisex_alerts_firing', { rule }, 0);
  }

  private tellSources(sources: readonly SourceStatus[]): void {
    for (const { name: source, takenFiles, waiting, refusedFiles, state } of sources) {
      this.metrics.set('advertisex_source_up', { source }, state === 'failing' ? 0 : 1);
      this.metrics.set('advertisex_source_taken_files', { source }, takenFiles);
      this.metrics.set('advertisex_source_waiting', { source }, source === COLLECTOR_SOURCE ? 0 : waiting);
      this.metrics.set('advertisex_source_refused_files', { source }, refusedFiles);
    }
  }

  private tellTopics(topics: readonly TopicFigures[]): void {
    for (const { topic, partitions, failures } of topics) {
      this.metrics.addUpTo('advertisex_kafka_failures_total', { topic }, failures);
      this.metrics.set(
        'advertisex_source_lag_records',
        { source: topicName(topic) },
        partitions.reduce((sum, { lag }) => sum + lag, 0),
      );
      for (const [number, { lag, taken, lost }] of partitions.entries()) {
        const labels = { topic, partition: String(number) };
        this.metrics.set('advertisex_kafka_lag_messages', labels, lag);
        this.metrics.addUpTo('advertisex_kafka_messages_total', labels, taken);
        this.metrics.addUpTo('advertisex_kafka_lost_messages_total', labels, lost);
      }
    }
  }

  private tellLive(live: LivePipeline, disk: DiskBudget | undefined): void {
    const { records, entries, logBytes } = live.waiting;
    this.metrics.set('advertisex_source_lag_records', { source: COLLECTOR_SOURCE }, records);
    this.metrics.set('advertisex_log_waiting_entries', {}, entries);
    this.metrics.set('advertisex_log_bytes', {}, logBytes);
    const firing = new Set<AlertRule>(live.troubles.map(({ code }) => code));
    if (this.stopping.signal.aborted) firing.add('stopping');
    if (disk?.state?.level === 'low') firing.add('disk_low');
    if (live.isArchiveFailing) firing.add('archive_failing');
    if (this.reconciliation?.isBroken) firing.add('reconciliation_broken');
    for (const rule of Object.keys(ALERT_RULES) as AlertRule[]) this.metrics.set('advertisex_alerts_firing', { rule }, firing.has(rule) ? 1 : 0);
  }

  /** Of a process before this one. */
  private async tellLastBatch({ reads }: Instance): Promise<void> {
    if (reads === undefined) return;
    const [last] = await new BesideEngine(reads, this.stopping, { goesOn: true }).rows<{ batch: bigint | null; at: bigint | null }>(
      'select max(batch_id) as batch, max(committed_at) as at from ops.batches',
    );
    if (this.hasCommitted || last === undefined || last.batch === null || last.at === null) return;
    this.metrics.set('advertisex_last_batch_id', {}, Number(last.batch));
    this.metrics.set('advertisex_last_commit_timestamp_seconds', {}, Number(last.at) / 1_000_000);
  }
}
