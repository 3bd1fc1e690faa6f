import type { KafkaClientOptions } from '../../sources/kafka/client-options.ts';
import { topicName } from '../../sources/kafka/partition-name.ts';
import { TopicReader } from '../../sources/kafka/topic-reader.ts';
import type { Instance } from '../instance.ts';
import { Backoff, type LiveSource, type Sleep, type SourceEvent, type SourceStatus } from './live-source.ts';
import { type ConsumedTopic, TopicSession } from './topic-session.ts';

export interface TopicSourceOptions {
  readonly consumed: ConsumedTopic;
  readonly client: KafkaClientOptions;
  readonly firstStageRow: number;
  readonly onEvent: (event: SourceEvent) => void;
  readonly sleep: Sleep;
  /** Goes on evenly, whatever is done to the clock. */
  readonly monotonicMs: () => number;
}

const RETRY_FIRST_MS = 250;
const RETRY_LAST_MS = 15_000;
/** From one session to the next, where nothing has failed. */
const AGAIN_MS = 50;
/** So long brokers may say that a topic ends before what the tables have of it, until that is believed. */
const SHORT_MS = 60_000;

/** Of a topic. */
export interface TopicFigures {
  readonly topic: string;
  /** In their order. */
  readonly partitions: readonly PartitionFigures[];
  /** Since the process began. */
  readonly failures: number;
}

export interface PartitionFigures {
  /** Messages that are there and not in the tables yet. */
  lag: number;
  /** Messages that were taken since the process began, */
  taken: number;
  /** and those that were deleted before they were. */
  lost: number;
}

/** A topic that is consumed into the tables, each message once. What fails is tried again, from where the tables have it. */
export class TopicSource implements LiveSource {
  private readonly instance: Instance;
  private readonly options: TopicSourceOptions;
  private readonly name: string;
  private readonly stopping = new AbortController();
  private readonly backoff = new Backoff(RETRY_FIRST_MS, RETRY_LAST_MS);
  private running: Promise<void> = Promise.resolve();
  private trouble = '';
  private readonly partitions: PartitionFigures[] = [];
  private failures = 0;
  /** Since when the topic ends before what the tables have of it. */
  private shortSince: number | undefined;

  constructor(instance: Instance, options: TopicSourceOptions) {
    this.instance = instance;
    this.options = options;
    this.name = topicName(options.consumed.topic);
  }

  start(): void {
    this.running = this.run();
  }

  /** What is staged is committed; the rest is where it was. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  status(): SourceStatus {
    const { name, partitions, trouble, stopping } = this;
    const waiting = partitions.reduce((sum, { lag }) => sum + lag, 0);
    const takenRecords = partitions.reduce((sum, { taken }) => sum + taken, 0);
    const state = stopping.signal.aborted ? 'stopped' : trouble !== '' ? 'failing' : waiting > 0 ? 'taking' : 'idle';
    return { name, state, takenRecords, takenFiles: 0, waiting, refusedFiles: 0, trouble };
  }

  figures(): TopicFigures {
    const { partitions, failures } = this;
    return { topic: this.options.consumed.topic, partitions, failures };
  }

  private async run(): Promise<void> {
    const { consumed, client, sleep } = this.options;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const openReader = () => new TopicReader(client, consumed.topic);
      const reader = openReader();
      try {
        const session = await TopicSession.open(this.instance, {
          ...this.options,
          acceptsLoss: this.acceptsLoss,
          reader,
          openReader,
          signal,
          events: this.events,
        });
        this.worked();
        this.shortSince = undefined;
        await session.run();
        await sleep(AGAIN_MS, signal);
      } catch (error) {
        await sleep(this.failed(error as Error), signal);
      } finally {
        await reader.close();
      }
    }
  }

  private readonly events = {
    note: (message: string) => this.tell('note', message),
    warn: (message: string) => this.tell('warning', message),
    short: () => {
      this.shortSince ??= this.options.monotonicMs();
    },
    lost: (partition: number, messages: number) => {
      this.partitionOf(partition).lost += messages;
    },
    taken: (partition: number, messages: number) => {
      this.partitionOf(partition).taken += messages;
      this.backoff.worked();
    },
    lag: (partition: number, messages: number) => {
      this.partitionOf(partition).lag = messages;
    },
  };

  private get acceptsLoss(): boolean {
    return this.shortSince !== undefined && this.options.monotonicMs() - this.shortSince >= SHORT_MS;
  }

  private partitionOf(number: number): PartitionFigures {
    while (this.partitions.length <= number) this.partitions.push({ lag: 0, taken: 0, lost: 0 });
    return this.partitions[number] as PartitionFigures;
  }

  private worked(): void {
    if (this.trouble !== '') this.tell('note', `The topic ${this.options.consumed.topic} can be read again.`);
    this.trouble = '';
  }

  /** Says how long to wait before it is tried again. */
  private failed({ message }: Error): number {
    const wait = this.backoff.failed();
    if (this.stopping.signal.aborted) return 0;
    this.failures++;
    // The same trouble again and again is told once.
    if (this.trouble !== message) this.tell('warning', `${message}. It is tried again; the other sources go on.`);
    this.trouble = message;
    return wait;
  }

  private tell(level: SourceEvent['level'], message: string): void {
    this.options.onEvent({ source: this.name, level, message });
  }
}
