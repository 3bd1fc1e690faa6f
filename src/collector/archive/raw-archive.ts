import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { Encoding, Feed } from '../../domain/feeds.ts';
import { createDecoder } from '../../encodings/create-decoder.ts';
import type { FieldPath } from '../../encodings/decoder.ts';
import type { ColumnBuilder } from '../../staging/column-builder.ts';
import { SegmentWriter } from '../../staging/segment-writer.ts';
import { NODE_LOG_FILES } from '../log/log-files.ts';
import { type ArchiveState, readArchiveState, writeArchiveState } from './archive-state.ts';
import { DRAFT, dayOfReceipt, listRawFiles, RAW_COLUMNS, rawFilePath } from './raw-files.ts';

export interface RawArchiveOptions {
  readonly folder: string;
  readonly source: string;
  /** What decides where a record ends, and whether it decodes. */
  readonly feeds: ReadonlyMap<Feed, { readonly paths: readonly FieldPath[]; readonly contractVersion: string }>;
  readonly maxRecordBytes: number;
  /** Told before each change on disk; tests stop the process here. */
  readonly beforeStep?: ((step: ArchiveStep) => void) | undefined;
}

export type ArchiveStep = 'write_file' | 'rename_file' | 'write_state' | 'stretch_archived';

/** An entry of the log, decompressed. */
export interface RawDelivery {
  readonly feed: Feed;
  readonly encoding: Encoding;
  readonly delimiter: string;
  readonly receivedAtMicros: number;
  readonly bytes: Uint8Array;
}

interface OpenFile {
  readonly feed: Feed;
  readonly day: string;
  readonly columns: RawColumns;
  readonly firstPosition: number;
  nextPosition: number;
}

/** A segment of raw records, and its columns that take a value a row. */
class RawColumns {
  readonly writer = new SegmentWriter(RAW_COLUMNS);
  readonly position = this.writer.column('position');
  readonly raw = this.writer.column('raw');
  readonly code = this.writer.column('problem_code');
  readonly message = this.writer.column('problem_message');
}

/**
 * Writes the raw archive, a stretch of the log at a time: the records of its entries, then the files in their places, then how far it is. A
 * stretch that broke off anywhere is written again from its beginning, and what it left behind goes first: no record is there twice.
 */
export class RawArchive {
  private readonly options: RawArchiveOptions;
  private state: ArchiveState;
  private readonly nextRecords: Map<Feed, number>;
  private readonly files = new Map<Feed, OpenFile>();
  /** Files that take no more, and are not on disk. */
  private full: OpenFile[] = [];
  private readonly idle: RawColumns[] = [];
  /** What an unfinished stretch left behind is gone. */
  private isSwept = false;

  private constructor(options: RawArchiveOptions, state: ArchiveState) {
    this.options = options;
    this.state = state;
    this.nextRecords = new Map(state.nextRecords);
  }

  /** `begin`: where an archive begins that is new, or that was off while the log was dropped from behind it (`logFrom`). */
  static async open(options: RawArchiveOptions, logFrom: number, begin: Omit<ArchiveState, 'source'>): Promise<RawArchive> {
    const { folder, source } = options;
    return attempt(folder, async () => {
      await NODE_LOG_FILES.makeFolder(folder);
      let state = await readArchiveState(folder);
      if (state === undefined || state.source !== source || state.nextEntry < logFrom) {
        state = { ...begin, source };
        await writeArchiveState(folder, state);
      }
      return new RawArchive(options, state);
    });
  }

  /** All entries before it are archived. */
  get nextEntry(): number {
    return this.state.nextEntry;
  }

  nextRecord(feed: Feed): number {
    return this.nextRecords.get(feed) ?? 0;
  }

  /** Whether the entry belongs to the archive: some were in the tables before there was one. */
  takes(feed: Feed, entry: number): boolean {
    return entry >= (this.state.fromEntries.get(feed) ?? 0);
  }

  /** The next record of the feed has this number, whatever was counted: entries that a damaged disk has lost are not here to be counted. */
  goOnFrom(feed: Feed, position: number): void {
    if (this.nextRecord(feed) === position) return;
    this.close(feed);
    this.nextRecords.set(feed, position);
  }

  async add(delivery: RawDelivery): Promise<void> {
    this.decode(delivery);
    await attempt(this.options.folder, () => this.writeFull());
  }

  /** Ends the stretch: from here on the entries before this one need not be in the log. */
  async finish(nextEntry: number): Promise<void> {
    await attempt(this.options.folder, async () => {
      for (const feed of [...this.files.keys()]) this.close(feed);
      await this.writeFull();
      const state = { ...this.state, nextEntry, nextRecords: new Map(this.nextRecords) };
      this.options.beforeStep?.('write_state');
      await writeArchiveState(this.options.folder, state);
      this.state = state;
      this.options.beforeStep?.('stretch_archived');
    });
  }

  /** Before the first entry of a stretch. */
  async begin(): Promise<void> {
    if (this.isSwept) return;
    await attempt(this.options.folder, () => this.sweep());
    this.isSwept = true;
  }

  /** Forgets the stretch at hand: it is written again. */
  abandon(): void {
    this.isSwept = false;
    for (const { columns } of [...this.full, ...this.files.values()]) this.rest(columns);
    this.full = [];
    this.files.clear();
    this.nextRecords.clear();
    for (const [feed, position] of this.state.nextRecords) this.nextRecords.set(feed, position);
  }

  private decode({ feed, encoding, delimiter, receivedAtMicros, bytes }: RawDelivery): void {
    const { paths = [], contractVersion = '' } = this.options.feeds.get(feed) ?? {};
    const day = dayOfReceipt(receivedAtMicros);
    let columns: RawColumns | undefined;
    const append = (position: number, raw: Uint8Array, code?: string, message?: string) => {
      const file = this.fileFor(feed, day, position);
      if (file.columns !== columns) {
        ({ columns } = file);
        const { writer } = columns;
        for (const [name, value] of Object.entries({ source: this.options.source, encoding, delimiter, contract_version: contractVersion }))
          writer.startTextRun(name, value);
        writer.startNumberRun('received_at', receivedAtMicros);
      }
      columns.position.appendNumber(position);
      columns.raw.appendText(raw, 0, raw.length);
      appendNullable(columns.code, code);
      appendNullable(columns.message, message);
      file.nextPosition = position + 1;
    };
    const decoder = createDecoder(
      { encoding, fields: paths, maxRecordBytes: this.options.maxRecordBytes, delimiter, firstRecordNumber: this.nextRecord(feed) },
      {
        record: ({ recordNumber }) => append(recordNumber, decoder.currentRaw()),
        malformed: ({ recordNumber, raw, code, message }) => append(recordNumber, raw, code, message),
      },
    );
    decoder.push(bytes);
    decoder.end();
    const file = this.files.get(feed);
    if (file !== undefined) this.nextRecords.set(feed, file.nextPosition);
  }

  /** The file that takes the next record: of the same day, and not too large. */
  private fileFor(feed: Feed, day: string, position: number): OpenFile {
    let file = this.files.get(feed);
    if (file !== undefined && (file.day !== day || file.columns.writer.isFull)) this.close(feed);
    file = this.files.get(feed);
    if (file === undefined) {
      file = { feed, day, columns: this.idle.pop() ?? new RawColumns(), firstPosition: position, nextPosition: position };
      this.files.set(feed, file);
    }
    return file;
  }

  private close(feed: Feed): void {
    const file = this.files.get(feed);
    if (file !== undefined) this.full.push(file);
    this.files.delete(feed);
  }

  private async writeFull(): Promise<void> {
    for (let file = this.full[0]; file !== undefined; file = this.full[0]) {
      await this.write(file);
      this.full.shift();
      this.rest(file.columns);
    }
  }

  private async write(file: OpenFile): Promise<void> {
    const { folder, source, beforeStep } = this.options;
    const path = rawFilePath(folder, { ...file, source });
    await NODE_LOG_FILES.makeFolder(dirname(path));
    const parts = await file.columns.writer.compressed();
    beforeStep?.('write_file');
    const handle = await open(path + DRAFT, 'w');
    try {
      for (const part of parts) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    beforeStep?.('rename_file');
    await rename(path + DRAFT, path);
    await NODE_LOG_FILES.syncFolder(dirname(path));
  }

  private rest(columns: RawColumns): void {
    columns.writer.reset();
    this.idle.push(columns);
  }

  /** Removes what a stretch left behind that was not finished. */
  private async sweep(): Promise<void> {
    const { folder, source } = this.options;
    const { files, drafts } = await listRawFiles(folder);
    const behind = files.filter((file) => file.source === source && file.nextPosition > (this.state.nextRecords.get(file.feed) ?? 0));
    for (const path of [...drafts, ...behind.map((file) => file.path)]) await rm(path, { force: true });
  }
}

function appendNullable(column: ColumnBuilder, value: string | undefined): void {
  if (value === undefined) column.appendNull();
  else {
    const bytes = Buffer.from(value);
    column.appendText(bytes, 0, bytes.length);
  }
}

async function attempt<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof AdvertiseXError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    throw new AdvertiseXError(
      isFull ? 'disk_full' : 'log_failed',
      isFull ? `There is no space left for the raw archive in ${folder}` : `The raw archive in ${folder} cannot be written: ${message}`,
      'See to the disk: what is not archived yet stays in the log, and is archived later.',
      cause,
    );
  }
}
