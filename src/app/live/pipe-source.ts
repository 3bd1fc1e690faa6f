import type { Collector } from '../../collector/collector.ts';
import { compileContract } from '../../contracts/compile-contract.ts';
import type { NormalisingRules } from '../../contracts/contract.ts';
import { AdvertiseXError, type ErrorCode, unreadableSource } from '../../domain/errors.ts';
import { DEFAULT_ENCODING, type Encoding, type Feed } from '../../domain/feeds.ts';
import { detectEncoding } from '../../encodings/detect-encoding.ts';
import { openDecompressed } from '../../encodings/open-stream.ts';
import { RecordCutter } from '../../encodings/record-cutter.ts';
import { contractOf } from '../../staging/staged-tables.ts';
import { edgeSettings } from '../edge-settings.ts';
import type { Instance } from '../instance.ts';
import { Backoff, type LiveSource, type Sleep, type SourceEvent, type SourceStatus } from './live-source.ts';

export interface PipeOptions {
  readonly feed: Feed;
  /** Told from the first bytes where absent. */
  readonly encoding?: Encoding;
  readonly delimiter?: string;
  readonly input: NodeJS.ReadableStream;
  readonly collector: Collector;
  readonly onEvent: (event: SourceEvent) => void;
  readonly sleep: Sleep;
}

const NAME = 'stdin';
/** While a delivery is on its way, so much more is read. */
const READ_AHEAD_BYTES = 1_048_576;
const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 5_000;
/** The collector takes more later. */
const WAITING: readonly ErrorCode[] = ['server_busy', 'log_busy'];
const PASSING: readonly ErrorCode[] = [...WAITING, 'log_failed', 'disk_full'];

/**
 * A pipe whose records go to the collector as they come, cut where records end. What was read and is not in the collector's log yet, a
 * mebibyte or so, is lost with the process; what is in the log is not. The pipe is not read while the collector cannot take more.
 */
export class PipeSource implements LiveSource {
  /** Resolves once the pipe has ended and all of it is in the log, also where it is damaged. Rejects where not all of it could be taken. */
  readonly ended: Promise<void>;
  private readonly instance: Instance;
  private readonly options: PipeOptions;
  private readonly stopping = new AbortController();
  private readonly end = Promise.withResolvers<void>();
  private readonly backoff = new Backoff(RETRY_FIRST_MS, RETRY_LAST_MS);
  private cutter: RecordCutter | undefined;
  private encoding: Encoding | undefined;
  private sending: Promise<void> | undefined;
  private failure: unknown;
  private running: Promise<void> = Promise.resolve();
  private state: SourceStatus['state'] = 'idle';
  private takenRecords = 0;
  private refusedRecords = 0;
  private trouble = '';

  constructor(instance: Instance, options: PipeOptions) {
    this.instance = instance;
    this.options = options;
    this.ended = this.end.promise;
    // Whoever asks is told; it is no end of the other sources.
    this.ended.catch(() => undefined);
  }

  start(): void {
    this.running = this.run();
  }

  /** What was read in whole records is taken; the beginning of a record is not one. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  status(): SourceStatus {
    const { state, takenRecords, trouble } = this;
    return { name: NAME, state, takenRecords, takenFiles: state === 'ended' ? 1 : 0, waiting: 0, refusedFiles: 0, trouble };
  }

  private async run(): Promise<void> {
    try {
      const isWhole = await this.readAll();
      if (this.stopping.signal.aborted) this.tellStopped();
      else this.tellEnd(isWhole);
      this.state = this.stopping.signal.aborted ? 'stopped' : 'ended';
    } catch (error) {
      this.state = 'ended';
      this.trouble = (error as Error).message;
      this.tell('warning', `Standard input is not read any more: ${this.trouble}. What came before it is taken.`);
      this.end.reject(error);
    }
    // Whoever writes to it is to notice that nobody reads.
    (this.options.input as { destroy?: () => void }).destroy?.();
    this.end.resolve();
  }

  /** False where the pipe ended early or is damaged. */
  private async readAll(): Promise<boolean> {
    const { input } = this.options;
    const parts = openDecompressed(bytesOf(input), 'standard input', undefined);
    let isWhole = true;
    for (;;) {
      const next = await this.unlessStopped(parts.next());
      if (next === undefined || next.done || this.failure !== undefined) break;
      if (!(next.value instanceof Uint8Array)) {
        this.tell('warning', `${next.value.damage} What came before it is taken.`);
        isWhole = false;
        break;
      }
      const cutter = await this.cutterFor(next.value);
      cutter.push(next.value);
      this.state = 'taking';
      this.send();
      while (this.sending !== undefined && cutter.heldLength >= READ_AHEAD_BYTES) {
        await this.sending;
        this.send();
      }
      if (cutter.isOver) {
        this.tell('warning', 'Standard input cannot be decoded any further: what stands there is in quarantine, and what follows is not read.');
        isWhole = false;
        break;
      }
    }
    if (!this.stopping.signal.aborted) this.cutter?.end(!isWhole);
    await this.sendRest();
    return isWhole;
  }

  /** Undefined once it is to stop. A promise of that, raced against for each part, would hold every part until then: each race has its own. */
  private async unlessStopped<T>(next: Promise<T>): Promise<T | undefined> {
    const { signal } = this.stopping;
    const stopped = Promise.withResolvers<undefined>();
    const stop = (): void => stopped.resolve(undefined);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      return await Promise.race([next, stopped.promise]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private async cutterFor(first: Uint8Array): Promise<RecordCutter> {
    if (this.cutter !== undefined) return this.cutter;
    const { feed, delimiter = ',' } = this.options;
    const encoding = this.options.encoding ?? detectEncoding(first, '') ?? DEFAULT_ENCODING[feed];
    if (encoding === 'parquet') {
      throw new AdvertiseXError(
        'source_unreadable',
        'It is a Parquet file, which is read from its end',
        'Put it into a file, and run `advertisex ingest` with that.',
      );
    }
    this.encoding = encoding;
    const { contracts, rules, maxRecordBytes } = await edgeSettings(this.instance);
    const { paths } = compileContract(contractOf(feed, contracts), rules[feed] as NormalisingRules);
    this.cutter = new RecordCutter({ encoding, delimiter, fields: paths, maxRecordBytes });
    return this.cutter;
  }

  /** One delivery at a time: what comes meanwhile goes together in the next. */
  private send(): void {
    if (this.sending !== undefined) return;
    const body = this.cutter?.take();
    if (body === undefined) return;
    this.sending = this.deliver(body).then(
      () => {
        this.sending = undefined;
        this.send();
      },
      (error) => {
        this.sending = undefined;
        this.failure = error;
      },
    );
  }

  private async sendRest(): Promise<void> {
    for (this.send(); this.sending !== undefined; this.send()) await this.sending;
    if (this.failure !== undefined) throw this.failure;
  }

  private async deliver(body: Uint8Array): Promise<void> {
    const { collector, feed, delimiter = ',', sleep } = this.options;
    for (;;) {
      try {
        const receipt = await collector.take({ feed, encoding: this.encoding as Encoding, delimiter, body });
        this.takenRecords += receipt.received;
        this.refusedRecords += receipt.refused.length + receipt.moreRefused;
        this.backoff.worked();
        this.trouble = '';
        if (this.state === 'failing') this.state = 'taking';
        return;
      } catch (error) {
        if (!(error instanceof AdvertiseXError) || !PASSING.includes(error.code) || this.stopping.signal.aborted) throw error;
        this.state = 'failing';
        // That it has to wait is how it is held back; a log that cannot be written is told, once.
        if (!WAITING.includes(error.code) && this.trouble !== error.message)
          this.tell('warning', `${error.message}. Standard input waits until it can be taken.`);
        this.trouble = error.message;
        await sleep(this.backoff.failed(), this.stopping.signal);
      }
    }
  }

  private tellEnd(isWhole: boolean): void {
    const refused = this.refusedRecords > 0 ? `, ${count(this.refusedRecords)} of them refused` : '';
    this.tell('note', `Standard input ended${isWhole ? '' : ' early'}: ${count(this.takenRecords)} records taken${refused}.`);
  }

  private tellStopped(): void {
    const left = this.cutter?.heldLength ?? 0;
    if (left > 0) this.tell('warning', `${count(left)} bytes of standard input were no whole record yet when it stopped, and are not taken.`);
  }

  private tell(level: SourceEvent['level'], message: string): void {
    this.options.onEvent({ source: NAME, level, message });
  }
}

async function* bytesOf(input: NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of input) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  } catch (cause) {
    throw unreadableSource('Standard input', cause);
  }
}

function count(value: number): string {
  return value.toLocaleString('en');
}
