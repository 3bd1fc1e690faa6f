import { EVENT_LAG_BOUNDS_SECONDS } from '../domain/event-lag.ts';

export type MetricType = 'counter' | 'gauge' | 'histogram';

interface MetricDefinition {
  readonly type: MetricType;
  /** Values of each come from a closed list, or from the configuration: never an id, a path or a text that a client sent. */
  readonly labels: readonly string[];
  /** One sentence, without its end. */
  readonly help: string;
  /** Upper bounds, of a histogram. */
  readonly buckets?: readonly number[];
}

/** From what is hardly to be measured to a minute. */
const DURATION_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;
const FRESHNESS_SECONDS = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 900, 3_600] as const;

/** All that `/metrics` shows, and nothing else: the registry and docs/reference/metrics.md are both made from this table. */
export const METRICS = {
  advertisex_events_total: {
    type: 'counter',
    labels: ['feed', 'source', 'outcome'],
    help: 'Records that batches committed, by what became of them; as in ops.ledger, replays aside',
  },
  advertisex_quarantined_total: {
    type: 'counter',
    labels: ['feed', 'code'],
    help: 'Records that batches put into quarantine, by the rule that they broke first',
  },
  advertisex_replayed_total: { type: 'counter', labels: ['feed', 'outcome'], help: 'Records that a replay took out of quarantine' },
  advertisex_event_lag_seconds: {
    type: 'histogram',
    labels: ['feed'],
    help: 'How long after they happened events were received',
    buckets: EVENT_LAG_BOUNDS_SECONDS,
  },
  advertisex_freshness_seconds: {
    type: 'histogram',
    labels: [],
    help: 'From the receipt of a record that came live to the commit of its batch, counted by records',
    buckets: FRESHNESS_SECONDS,
  },
  advertisex_batches_total: { type: 'counter', labels: ['cause'], help: 'Batches that were committed' },
  advertisex_batch_duration_seconds: { type: 'histogram', labels: ['stage'], help: 'Time that a committed batch spent in a stage', buckets: DURATION_SECONDS },
  advertisex_batch_failures_total: {
    type: 'counter',
    labels: ['code'],
    help: 'Times that what was taken could not be applied, and was tried again, by the code of the error',
  },
  advertisex_restated_rows_total: { type: 'counter', labels: ['cause'], help: 'Rows of earlier batches that were taken back and said anew' },
  advertisex_last_batch_id: { type: 'gauge', labels: [], help: 'Number of the batch that was committed last' },
  advertisex_last_commit_timestamp_seconds: { type: 'gauge', labels: [], help: 'When the last batch was committed, since 1970' },
  advertisex_source_lag_records: { type: 'gauge', labels: ['source'], help: 'Records that were taken from a source and wait for their batch' },
  advertisex_source_up: { type: 'gauge', labels: ['source'], help: 'Whether records can be taken from a source: 0 while that fails and is tried again' },
  advertisex_source_taken_files: { type: 'gauge', labels: ['source'], help: 'Files that were taken from a source since the process started' },
  advertisex_source_waiting: {
    type: 'gauge',
    labels: ['source'],
    help: 'Files of a folder that are there and not taken yet; commands that wait for another one',
  },
  advertisex_source_refused_files: { type: 'gauge', labels: ['source'], help: 'Files of a source that cannot be read, and are tried again now and then' },
  advertisex_kafka_lag_messages: {
    type: 'gauge',
    labels: ['topic', 'partition'],
    help: 'Messages of a partition that are there and not in the tables yet',
  },
  advertisex_kafka_messages_total: { type: 'counter', labels: ['topic', 'partition'], help: 'Messages of a partition that were taken into the tables' },
  advertisex_kafka_lost_messages_total: {
    type: 'counter',
    labels: ['topic', 'partition'],
    help: 'Messages of a partition that were deleted before they were taken',
  },
  advertisex_kafka_failures_total: { type: 'counter', labels: ['topic'], help: 'Times that a topic could not be consumed, and was tried again' },
  advertisex_log_bytes: { type: 'gauge', labels: [], help: "Size of the collector's log" },
  advertisex_log_waiting_entries: { type: 'gauge', labels: [], help: 'Entries of the log that are not committed yet' },
  advertisex_archive_failures_total: {
    type: 'counter',
    labels: ['code'],
    help: 'Times that a part of the log could not be put into the raw archive, and is tried again later, by the code of the error',
  },
  advertisex_log_damage_total: { type: 'counter', labels: ['kind'], help: 'Places at which the log was found cut or damaged' },
  advertisex_housekeeping_duration_seconds: {
    type: 'histogram',
    labels: ['task'],
    help: 'Time that a task of housekeeping took',
    buckets: DURATION_SECONDS,
  },
  advertisex_housekeeping_failures_total: {
    type: 'counter',
    labels: ['task'],
    help: 'Times that a task of housekeeping failed, and is tried again later',
  },
  advertisex_reconciliation_difference_rows: { type: 'gauge', labels: ['equation'], help: 'Rows that break an equation, when it was checked last' },
  advertisex_reconciliation_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When all equations had been checked last, since 1970; absent before the first time',
  },
  advertisex_reconciliation_duration_seconds: { type: 'gauge', labels: [], help: 'Time that the last check of all equations took, pauses aside' },
  advertisex_alerts_firing: { type: 'gauge', labels: ['rule'], help: 'Whether something is wrong that somebody should see to: 1 or 0' },
  advertisex_http_requests_total: {
    type: 'counter',
    labels: ['method', 'route', 'status'],
    help: 'Requests, by the pattern of their address; status aborted: the client went away',
  },
  advertisex_http_request_duration_seconds: {
    type: 'histogram',
    labels: ['route'],
    help: 'From the head of a request to the end of its answer',
    buckets: DURATION_SECONDS,
  },
  advertisex_http_held_body_bytes: { type: 'gauge', labels: [], help: 'Bodies of requests that are in memory' },
  advertisex_http_connections: { type: 'gauge', labels: [], help: 'Connections that are open' },
  advertisex_data_bytes: { type: 'gauge', labels: ['part'], help: 'Size of a part of the data directory; looked at once a minute at most' },
  advertisex_disk_free_bytes: { type: 'gauge', labels: [], help: 'What is left on the disk of the data directory' },
  advertisex_engine_memory_bytes: { type: 'gauge', labels: [], help: 'Memory that the engine uses' },
  advertisex_engine_spilled_bytes: { type: 'gauge', labels: [], help: 'What the engine keeps on disk for want of memory' },
  advertisex_event_loop_delay_seconds: {
    type: 'histogram',
    labels: [],
    help: 'How late the main thread comes to what is due, looked at ten times a second',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  },
  advertisex_build_info: { type: 'gauge', labels: ['version', 'node'], help: 'Always 1; the labels say what runs' },
  nodejs_heap_size_used_bytes: { type: 'gauge', labels: [], help: 'Heap of JavaScript that is in use' },
  nodejs_heap_size_total_bytes: { type: 'gauge', labels: [], help: 'Heap of JavaScript' },
  nodejs_external_memory_bytes: { type: 'gauge', labels: [], help: 'Memory outside the heap that its objects hold, buffers above all' },
  process_resident_memory_bytes: { type: 'gauge', labels: [], help: 'Memory of the process, that of the engine included' },
  process_cpu_seconds_total: { type: 'counter', labels: [], help: 'Processor time that the process used' },
  process_start_time_seconds: { type: 'gauge', labels: [], help: 'When the process started, since 1970' },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRICS;
type Of<Type extends MetricType> = { [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never }[MetricName];
export type CounterName = Of<'counter'>;
export type GaugeName = Of<'gauge'>;
export type HistogramName = Of<'histogram'>;
export type LabelsOf<Name extends MetricName> = { readonly [Label in (typeof METRICS)[Name]['labels'][number]]: string };
