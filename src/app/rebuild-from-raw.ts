import { rm } from 'node:fs/promises';
import type { BatchCause, ConflictingRecord, OutcomeCounts, SourcePosition } from '../batches/batch.ts';
import { type ArchiveState, readArchiveState } from '../collector/archive/archive-state.ts';
import { listRawFiles, type RawFile } from '../collector/archive/raw-files.ts';
import { readRawFile } from '../collector/archive/read-raw-file.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { EVENT_FEEDS, type Feed, REFERENCE_FEEDS } from '../domain/feeds.ts';
import { ArchiveStager } from '../ingest/archive-stager.ts';
import type { ArchivedRecord, RawRecord } from '../staging/staged-chunk.ts';
import { contractOf } from '../staging/staged-tables.ts';
import { edgeSettings } from './edge-settings.ts';
import type { Instance } from './instance.ts';

export interface RawRebuild {
  readonly files: number;
  readonly batches: number;
  readonly outcomes: OutcomeCounts;
}

/**
 * Makes the tables of an empty data directory from a raw archive: every record goes the way that it went when it came, with its source,
 * its position and its time of receipt. Currency rates are used for what was received after them. What is in the log that the archive was made from, and
 * not in the archive, can be taken up from there: the tables say how far they are.
 */
export async function rebuildFromRaw(instance: Instance, folder: string, onProgress: (records: number) => void = () => undefined): Promise<RawRebuild> {
  await requireEmpty(instance);
  const { files } = await listRawFiles(folder);
  if (files.length === 0) {
    throw new AdvertiseXError(
      'not_found',
      `There is no raw archive in ${folder}`,
      'Name the folder that has folders of feeds in it, like advertisex-data/raw.',
    );
  }
  requireEachOnce(files);
  return new Rebuild(instance, files, await readArchiveState(folder), onProgress).run();
}

class Rebuild {
  private readonly instance: Instance;
  private readonly files: readonly RawFile[];
  private readonly state: ArchiveState | undefined;
  private readonly onProgress: (records: number) => void;
  private stager!: ArchiveStager;
  private batches = 0;
  private readonly outcomes: OutcomeCounts = { received: 0, accepted: 0, duplicate: 0, quarantined: 0 };

  constructor(instance: Instance, files: readonly RawFile[], state: ArchiveState | undefined, onProgress: (records: number) => void) {
    this.instance = instance;
    this.files = files;
    this.state = state;
    this.onProgress = onProgress;
  }

  async run(): Promise<RawRebuild> {
    const rates = new Cursor(this.filesOf('currency-rates'));
    const cursors = new Map(
      [...REFERENCE_FEEDS, ...EVENT_FEEDS].filter((feed) => feed !== 'currency-rates').map((feed) => [feed, new Cursor(this.filesOf(feed))]),
    );
    await this.useRates();
    for (;;) {
      // What was received before the next rates, then those.
      const ratesAt = (await rates.peek())?.receivedAtMicros ?? Number.POSITIVE_INFINITY;
      for (const [feed, cursor] of cursors) {
        const cause = (REFERENCE_FEEDS as readonly Feed[]).includes(feed) ? 'reference' : 'late';
        await this.take(feed, cursor, cause, (record) => record.receivedAtMicros < ratesAt);
      }
      if (ratesAt === Number.POSITIVE_INFINITY) break;
      await this.take('currency-rates', rates, 'reference', (record) => record.receivedAtMicros <= ratesAt);
      await this.useRates();
    }
    return { files: this.files.length, batches: this.batches, outcomes: this.outcomes };
  }

  private async useRates(): Promise<void> {
    this.stager = new ArchiveStager({ edge: await edgeSettings(this.instance), directory: this.instance.directory.staging });
  }

  private async take(feed: Feed, cursor: Cursor, cause: BatchCause, isDue: (record: ArchivedRecord) => boolean): Promise<void> {
    const { batch_records } = this.instance.settings.limits;
    let last: ArchivedRecord | undefined;
    for (let record = await cursor.peek(); record !== undefined && isDue(record); record = await cursor.next()) {
      if (last !== undefined && (this.stager.records >= batch_records || record.source !== last.source)) await this.apply(feed, cause, last);
      this.stager.stage(feed, record);
      last = record;
    }
    if (last !== undefined) await this.apply(feed, cause, last);
  }

  private async apply(feed: Feed, cause: BatchCause, last: ArchivedRecord): Promise<void> {
    const { instance } = this;
    await instance.disk.requireRoom();
    const { chunks, unknownFields } = this.stager.flush();
    const committed = await instance.batches.apply({
      cause,
      chunks,
      files: [],
      positions: [this.positionOf(feed, last, [...(unknownFields.get(feed) ?? [])])],
      stagingDirectory: instance.directory.staging,
      readRaw: (records) => this.readRaw(records),
    });
    this.batches++;
    for (const outcome of ['received', 'accepted', 'duplicate', 'quarantined'] as const) this.outcomes[outcome] += committed.outcomes[outcome];
    for (const { segments } of chunks) for (const { path } of segments) await rm(path, { force: true });
    this.onProgress(this.outcomes.received);
  }

  /** What is appended to the log from now on is numbered on from the archive. */
  private positionOf(feed: Feed, { source, position }: ArchivedRecord, unknownFields: SourcePosition['unknownFields']): SourcePosition {
    const isLogged = this.state?.source === source;
    return { source, feed, nextEntry: isLogged ? this.state.nextEntry : 0, nextRecord: position + 1, unknownFields };
  }

  private async readRaw(records: readonly ConflictingRecord[]): Promise<RawRecord[]> {
    const found = new Map<RawFile, ReadonlyMap<number, ArchivedRecord>>();
    const raw: RawRecord[] = [];
    for (const { feed, source, position } of records) {
      const isIn = (file: RawFile) => file.feed === feed && file.source === source && file.firstPosition <= position && position < file.nextPosition;
      const file = this.files.find(isIn) as RawFile;
      if (!found.has(file)) found.set(file, new Map((await readRawFile(file.path)).map((record) => [record.position, record])));
      const record = found.get(file)?.get(position) as ArchivedRecord;
      raw.push({ ...record, contractVersion: contractOf(feed, this.instance.contracts).version });
    }
    return raw;
  }

  private filesOf(feed: Feed): RawFile[] {
    return this.files.filter((file) => file.feed === feed);
  }
}

/** Goes over the records of files, one file in memory at a time. */
class Cursor {
  private readonly files: RawFile[];
  private records: readonly ArchivedRecord[] = [];
  private at = 0;

  constructor(files: readonly RawFile[]) {
    this.files = [...files];
  }

  /** The record at hand; undefined behind the last one. */
  async peek(): Promise<ArchivedRecord | undefined> {
    while (this.at >= this.records.length) {
      const file = this.files.shift();
      if (file === undefined) return undefined;
      this.records = await readRawFile(file.path);
      this.at = 0;
    }
    return this.records[this.at];
  }

  async next(): Promise<ArchivedRecord | undefined> {
    this.at++;
    return this.at < this.records.length ? this.records[this.at] : this.peek();
  }
}

/** What two files have would be received twice. */
function requireEachOnce(files: readonly RawFile[]): void {
  const last = new Map<string, RawFile>();
  for (const file of files) {
    const key = `${file.feed} ${file.source}`;
    const before = last.get(key);
    if (before !== undefined && file.firstPosition < before.nextPosition) {
      throw new AdvertiseXError(
        'source_unreadable',
        `${file.path} and ${before.path} have records of the same positions`,
        'An archive has each record once: take away the file that does not belong there.',
      );
    }
    last.set(key, file);
  }
}

async function requireEmpty({ engine, directory }: Instance): Promise<void> {
  const [books] = await engine.rows<{ batches: bigint }>('select count(*) as batches from store.batches');
  if (books?.batches === 0n) return;
  throw new AdvertiseXError(
    'data_unusable',
    `There is data in ${directory.path} already, and a raw archive becomes tables in an empty data directory`,
    'Name a new folder with --data. Of a rebuild that was broken off, remove advertisex.duckdb and archive/ first.',
  );
}
