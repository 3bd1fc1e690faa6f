import { join } from 'node:path';
import type { EventFeed } from '../../domain/feeds.ts';
import { RandomStream } from '../random-stream.ts';
import { BID_SCHEMA } from '../records/bid-record.ts';
import { RESPONSE_HEADER } from '../records/response-record.ts';
import type { RecordPlace } from './arrival-queue.ts';
import type { FileLabels } from './file-labels.ts';
import { type Compression, OutputFile, type WrittenFile } from './output-file.ts';
import { type AvroCodec, AvroContainer, PlainContainer, type RecordContainer } from './record-containers.ts';

export interface FeedFilesOptions {
  readonly directory: string;
  readonly seed: string;
  readonly compression: Compression;
  readonly avroCodec: AvroCodec;
  readonly labels: FileLabels;
  readonly firstMinute: number;
}

const COMPRESSED_ENDING: Readonly<Record<Compression, string>> = { none: '', gzip: '.gz', zstd: '.zst' };

/** The files of one feed in the order of arrival, one after another. */
export class FeedFiles implements RecordPlace {
  readonly written: WrittenFile[] = [];
  file = '';
  recordNumber = 0;
  private readonly feed: EventFeed;
  private readonly options: FeedFilesOptions;
  private label: string | undefined;
  private output: OutputFile | undefined;
  private container: RecordContainer | undefined;
  private closing: Promise<void>[] = [];

  constructor(feed: EventFeed, options: FeedFilesOptions) {
    this.feed = feed;
    this.options = options;
  }

  minute(minute: number): void {
    const label = this.options.labels(minute);
    if (label === this.label) return;
    this.finish();
    this.label = label;
    this.open(label);
  }

  append(bytes: Buffer, start: number, end: number): void {
    (this.container as RecordContainer).append(bytes, start, end);
    this.recordNumber++;
  }

  get waits(): boolean {
    return this.closing.length > 0 || this.output?.waits === true;
  }

  async drained(): Promise<void> {
    if (this.closing.length > 0) await Promise.all(this.closing.splice(0));
    await this.output?.drained();
  }

  async close(): Promise<void> {
    // A feed to which nothing came has a file all the same, so that whoever takes in the folders finds something in each.
    if (this.label === undefined) this.minute(this.options.firstMinute);
    this.finish();
    await Promise.all(this.closing.splice(0));
  }

  abort(): void {
    this.output?.abort();
  }

  private open(label: string): void {
    const { directory, compression, avroCodec, seed } = this.options;
    const ending = this.feed === 'bid-requests' ? '.avro' : (this.feed === 'ad-impressions' ? '.jsonl' : '.csv') + COMPRESSED_ENDING[compression];
    this.file = `${this.feed}/${this.feed}${label}${ending}`;
    this.recordNumber = 0;
    const output = new OutputFile(join(directory, this.file), this.feed === 'bid-requests' ? 'none' : compression);
    this.output = output;
    if (this.feed === 'bid-requests') {
      const random = new RandomStream(seed, `sync marker of ${this.file}`);
      const sync = Buffer.from(Uint32Array.from({ length: 4 }, () => random.bits()).buffer);
      this.container = new AvroContainer(output, JSON.stringify(BID_SCHEMA), avroCodec, sync);
    } else {
      this.container = new PlainContainer(output, this.feed === 'clicks-conversions' ? RESPONSE_HEADER : '');
    }
  }

  private finish(): void {
    const { output, container, file: path, recordNumber: records } = this;
    if (output === undefined || container === undefined) return;
    container.finish();
    this.output = undefined;
    this.container = undefined;
    // Its place in the list is its place in time, whenever its last byte reaches the disk.
    const place = this.written.length;
    this.written.push({ path, records, bytes: 0, sha256: '' });
    this.closing.push(
      output.close().then((end) => {
        this.written[place] = { path, records, ...end };
      }),
    );
  }
}
