import { setImmediate as nextTurn } from 'node:timers/promises';
import { RawArchive, type RawArchiveOptions } from '../../collector/archive/raw-archive.ts';
import type { CollectorLog } from '../../collector/log/collector-log.ts';
import type { LogPosition } from '../../collector/log/log-entry.ts';
import { compileContract } from '../../contracts/compile-contract.ts';
import type { NormalisingRules } from '../../contracts/contract.ts';
import type { Feed } from '../../domain/feeds.ts';
import { edgeSettings } from '../edge-settings.ts';
import type { Instance } from '../instance.ts';
import { decompressBody } from './decompress-body.ts';
import { COLLECTOR_SOURCE, logPositions } from './log-positions.ts';

/** So much is decoded before whoever takes records has its turn. */
const BYTES_A_TURN = 65_536;
/** What fails is left alone for so long: the log keeps what it has, and whoever watches is told often enough. */
const RETRY_AFTER_MICROS = 30_000_000;

export interface LogArchiveOptions {
  readonly instance: Instance;
  readonly log: CollectorLog;
  /** Of one delivery, decompressed. */
  readonly bodyBytes: number;
  readonly beforeStep?: RawArchiveOptions['beforeStep'];
}

interface PositionMark {
  readonly nextEntry: LogPosition;
  readonly nextRecord: number;
}

/** From the collector's log into the raw archive, segment by segment, once their entries are applied. */
export class LogArchive {
  private readonly options: LogArchiveOptions;
  private readonly archive: RawArchive;
  private retryAtMicros = 0;
  private hasFailed = false;
  /** One stretch after the other, whoever asks. */
  private working: Promise<unknown> = Promise.resolve();

  private constructor(options: LogArchiveOptions, archive: RawArchive) {
    this.options = options;
    this.archive = archive;
  }

  static async open(options: LogArchiveOptions): Promise<LogArchive> {
    const { instance, log, beforeStep } = options;
    const { nextEntries, nextRecords } = await logPositions(instance, COLLECTOR_SOURCE);
    const { contracts, rules, maxRecordBytes } = await edgeSettings(instance);
    const feeds = new Map(
      [...contracts].map(([feed, contract]) => [
        feed,
        { paths: compileContract(contract, rules[feed] as NormalisingRules).paths, contractVersion: contract.version },
      ]),
    );
    const archive = await RawArchive.open({ folder: instance.directory.raw, source: COLLECTOR_SOURCE, feeds, maxRecordBytes, beforeStep }, log.firstPosition, {
      nextEntry: log.firstPosition,
      fromEntries: nextEntries,
      nextRecords,
    });
    return new LogArchive(options, archive);
  }

  /** From here on, the log has to keep what it has. */
  get archivedUpTo(): LogPosition {
    return this.archive.nextEntry;
  }

  /** The last stretch could not be archived. */
  get isFailing(): boolean {
    return this.hasFailed;
  }

  /** Archives the entries before a position: those of whole segments, or, at the end, all of them. Says how many. */
  archiveUpTo(appliedUpTo: LogPosition, which: 'segments' | 'all'): Promise<number> {
    const { nowMicros } = this.options.instance;
    const work = this.working.then(async () => {
      let entries = 0;
      if (which === 'segments' && nowMicros() < this.retryAtMicros) return entries;
      for (let from = this.archivedUpTo; from < appliedUpTo; from = this.archivedUpTo) {
        const segmentEnd = this.options.log.segmentEnd(from);
        if (which === 'segments' && (segmentEnd === undefined || segmentEnd > appliedUpTo)) break;
        entries += await this.archiveStretch(from, Math.min(segmentEnd ?? appliedUpTo, appliedUpTo));
      }
      return entries;
    });
    this.working = work.catch(() => undefined);
    return work;
  }

  private async archiveStretch(from: LogPosition, upTo: LogPosition): Promise<number> {
    const { archive } = this;
    const { log, bodyBytes } = this.options;
    try {
      await archive.begin();
      const marks = await this.committedPositions(from, upTo);
      let entries = 0;
      let sinceTurn = 0;
      for await (const { position, entry } of log.read(from)) {
        if (position >= upTo) break;
        if (!archive.takes(entry.feed, position)) continue;
        const passed = marks.get(entry.feed) ?? [];
        // Each once: what follows a mark is counted on from it.
        while (passed[0] !== undefined && passed[0].nextEntry <= position) archive.goOnFrom(entry.feed, (passed.shift() as PositionMark).nextRecord);
        const bytes = await decompressBody(entry.body, bodyBytes);
        await archive.add({ ...entry, bytes });
        entries++;
        sinceTurn += bytes.length;
        if (sinceTurn < BYTES_A_TURN) continue;
        sinceTurn = 0;
        await nextTurn();
      }
      await archive.finish(upTo);
      this.hasFailed = false;
      return entries;
    } catch (error) {
      this.hasFailed = true;
      this.retryAtMicros = this.options.instance.nowMicros() + RETRY_AFTER_MICROS;
      archive.abandon();
      throw error;
    }
  }

  /** Where the books say how an entry's records are numbered: what a damaged disk has lost of the log cannot be counted. */
  private async committedPositions(from: LogPosition, upTo: LogPosition): Promise<ReadonlyMap<Feed, PositionMark[]>> {
    const rows = await this.options.instance.engine.withReader(Number.MAX_SAFE_INTEGER, (reader) =>
      reader.rows<{ feed: Feed; next_entry: bigint; next_record: bigint }>(
        `select feed, next_entry, next_record from store.source_positions
         where source = $source and next_entry > $from and next_entry <= $upTo order by next_entry`,
        { source: COLLECTOR_SOURCE, from, upTo },
      ),
    );
    return Map.groupBy(
      rows.map(({ feed, next_entry, next_record }) => ({ feed, nextEntry: Number(next_entry), nextRecord: Number(next_record) })),
      ({ feed }) => feed,
    );
  }
}
