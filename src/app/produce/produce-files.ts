import type { Environment } from '../../config/secrets.ts';
import type { Settings } from '../../config/settings.ts';
import type { Contract } from '../../contracts/contract.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { DEFAULT_ENCODING, encodingOfRecords, type Feed, type FileEncoding } from '../../domain/feeds.ts';
import { openContent } from '../../ingest/decode-file.ts';
import { decodingFailure } from '../../ingest/decoding-failure.ts';
import { kafkaClientOptions } from '../../sources/kafka/client-options.ts';
import { TopicSender } from '../../sources/kafka/topic-sender.ts';
import { listFiles } from '../../sources/list-files.ts';
import { sniffEncoding } from '../../sources/sniff-encoding.ts';
import type { SourceFile } from '../../sources/source-file.ts';
import { type MessageColumns, MessageWriter, type WaitingRecord } from './message-writer.ts';
import { Pace } from './pace.ts';
import { frame, openRegistrar, type RegisterSchema } from './wire-format.ts';

export interface ProduceRequest {
  readonly feed: Feed;
  readonly contract: Contract;
  readonly paths: readonly string[];
  readonly topic: string;
  /** Of the topic, where it has to be made. */
  readonly partitions?: number | undefined;
  /** Records a second. */
  readonly rate?: number | undefined;
  /** Told from each file where absent. */
  readonly encoding?: FileEncoding | undefined;
  readonly delimiter?: string | undefined;
  readonly columns: MessageColumns;
  readonly settings: Settings;
  /** Where the password is looked for. */
  readonly environment: Environment;
}

export interface ProducedFile {
  readonly path: string;
  readonly encoding: FileEncoding;
  readonly sent: number;
  /** Records that cannot be sent: damaged Avro has no message. */
  readonly leftOut: number;
  /** Read to its end. */
  readonly complete: boolean;
}

export interface ProduceSummary {
  readonly topic: string;
  readonly partitions: number;
  readonly files: readonly ProducedFile[];
  readonly sent: number;
  readonly leftOut: number;
  readonly seconds: number;
}

export interface ProduceProgress {
  readonly bytesRead: number;
  readonly bytesTotal: number;
  readonly sent: number;
}

/** Sends each record of files to a topic, in their order. Records of a run that was stopped are sent again by the next one. */
export async function produceFiles(request: ProduceRequest, signal: AbortSignal, onProgress: (progress: ProduceProgress) => void): Promise<ProduceSummary> {
  const kafka = await kafkaClientOptions(request.settings.kafka, request.environment);
  const files = await listFiles(request.paths);
  const sender = await TopicSender.open(kafka, request.topic, request.partitions);
  const began = performance.now();
  const run = new Run(request, sender, signal, files, onProgress);
  try {
    const produced: ProducedFile[] = [];
    for (const file of files) produced.push(await run.produce(file));
    return {
      topic: request.topic,
      partitions: sender.partitions,
      files: produced,
      sent: run.sent,
      leftOut: produced.reduce((sum, { leftOut }) => sum + leftOut, 0),
      seconds: (performance.now() - began) / 1_000,
    };
  } finally {
    await sender.close();
  }
}

class Run {
  sent = 0;
  private bytesBefore = 0;
  private readonly bytesTotal: number;
  private readonly request: ProduceRequest;
  private readonly sender: TopicSender;
  private readonly signal: AbortSignal;
  private readonly onProgress: (progress: ProduceProgress) => void;
  private readonly pace: Pace;
  /** Never resolves. */
  private readonly stopped: Promise<never>;
  private readonly registerSchema: RegisterSchema;
  /** By its text. */
  private readonly schemaIds = new Map<string, number>();

  constructor(
    request: ProduceRequest,
    sender: TopicSender,
    signal: AbortSignal,
    files: readonly SourceFile[],
    onProgress: (progress: ProduceProgress) => void,
  ) {
    this.request = request;
    this.sender = sender;
    this.signal = signal;
    this.onProgress = onProgress;
    this.bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0);
    this.pace = new Pace(request.rate);
    this.registerSchema = openRegistrar(request.settings.registry);
    const { promise, reject } = Promise.withResolvers<never>();
    this.stopped = promise;
    this.stopped.catch(() => undefined);
    signal.addEventListener('abort', () => reject(this.stopReason()), { once: true });
  }

  async produce(file: SourceFile): Promise<ProducedFile> {
    const { feed, contract, columns, delimiter = ',', settings } = this.request;
    const encoding = this.request.encoding ?? (await sniffEncoding(file.path, file.path)) ?? DEFAULT_ENCODING[feed];
    const writer = new MessageWriter({ contract, encoding: encodingOfRecords(encoding), delimiter, columns, maxRecordBytes: settings.limits.record_bytes });
    const before = this.sent;
    try {
      await this.push(file, encoding, writer);
    } catch (error) {
      throw error instanceof AdvertiseXError ? error : decodingFailure(file.path, error);
    }
    this.bytesBefore += file.bytes;
    return { path: file.path, encoding, sent: this.sent - before, leftOut: writer.leftOut, complete: writer.decoder.complete };
  }

  private async push({ path }: SourceFile, encoding: FileEncoding, writer: MessageWriter): Promise<void> {
    const { decoder } = writer;
    const { parts, bytesRead } = openContent({ path, place: path, encoding });
    for await (const part of parts) {
      if (part instanceof Uint8Array) decoder.push(part);
      else decoder.damage(part.damage);
      await this.send(writer.takeWaiting(), bytesRead());
      if (!decoder.complete) break;
    }
    decoder.end();
    await this.send(writer.takeWaiting(), bytesRead());
  }

  private async send(records: readonly WaitingRecord[], bytesRead: number): Promise<void> {
    const framed = await this.framed(records);
    for (let start = 0; start < framed.length; ) {
      const end = Math.min(TopicSender.endOfSend(framed, start), start + this.pace.portion);
      await this.waitFor(end - start);
      // A broker that is down is waited for: not by whoever wants to stop.
      await Promise.race([this.sender.send(framed.slice(start, end)), this.stopped]);
      this.sent += end - start;
      start = end;
      this.onProgress({ bytesRead: this.bytesBefore + bytesRead, bytesTotal: this.bytesTotal, sent: this.sent });
    }
  }

  private async waitFor(records: number): Promise<void> {
    const { signal } = this;
    await this.pace.waitFor(records, signal).catch((error) => Promise.reject(signal.aborted ? this.stopReason() : error));
    if (signal.aborted) throw this.stopReason();
  }

  private stopReason(): AdvertiseXError {
    return new AdvertiseXError(
      'interrupted',
      `Stopped: ${this.sent.toLocaleString('en')} records are in the topic.`,
      'The same command begins with the first record again. AdvertiseX takes a record once, however often it comes.',
    );
  }

  private async framed(records: readonly WaitingRecord[]): Promise<readonly WaitingRecord[]> {
    if (records[0]?.schema === undefined) return records;
    const framed: WaitingRecord[] = [];
    for (const { key, value, schema = '' } of records) framed.push({ key, value: frame(this.schemaIds.get(schema) ?? (await this.register(schema)), value) });
    return framed;
  }

  private async register(schema: string): Promise<number> {
    const id = await this.registerSchema(`${this.request.topic}-value`, schema);
    this.schemaIds.set(schema, id);
    return id;
  }
}
