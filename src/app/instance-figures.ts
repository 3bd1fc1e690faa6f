import { AdvertiseXError } from '../domain/errors.ts';
import type { ResultTable } from '../domain/result-table.ts';
import { BesideEngine } from '../engines/remote/beside-engine.ts';
import type { BoundedReads } from '../engines/remote/bounded-reads.ts';
import { BOOK_LISTS, type BookList } from './book-lists.ts';
import { type Explanation, explain } from './explain.ts';
import type { Instance } from './instance.ts';
import { listQuarantine, type QuarantinedRecord, type QuarantineFilter, type ReplaySummary, replayBeside, showQuarantined } from './quarantine.ts';
import { type Reconciliation, reconcile } from './recon.ts';
import { type CampaignReportOptions, reportCampaigns } from './report-campaigns.ts';
import { having, type RowPage, readPage } from './row-pages.ts';

/** What one request reads with. */
export interface Reading {
  /** The batch that the tables are read as of; null: as they are. */
  readonly asOf: number | null;
  /** Aborting it ends what is read; it is aborted, with why, when a limit ends it. */
  readonly stop: AbortController;
}

export interface PageAsked {
  readonly limit: number;
  /** What `last` of the page before said. */
  readonly after?: readonly string[];
}

/** The figures of an instance that is at work: read beside its batches, within the limits of all who read. */
export class InstanceFigures {
  private readonly instance: Instance;
  private readonly reads: BoundedReads;
  private last = 0;

  private constructor(instance: Instance, reads: BoundedReads) {
    this.instance = instance;
    this.reads = reads;
  }

  static async open(instance: Instance): Promise<InstanceFigures> {
    if (instance.reads === undefined) throw new Error('the instance is only read');
    const figures = new InstanceFigures(instance, instance.reads);
    const [row] = await instance.engine.rows<{ last: bigint }>('select coalesce(max(batch_id), 0) as last from store.batches');
    figures.last = Number(row?.last);
    instance.batches.onCommitted(({ batchId }) => {
      figures.last = batchId;
    });
    return figures;
  }

  /** The batch that was committed last, 0 where there is none: while it stays the same, everything read as of it does. */
  get lastBatch(): number {
    return this.last;
  }

  campaigns(options: Omit<CampaignReportOptions, 'asOf'>, reading: Reading): Promise<ResultTable> {
    return reportCampaigns(this.read(reading), options);
  }

  query(sql: string, reading: Reading): Promise<ResultTable> {
    return this.read(reading).engine.query(sql);
  }

  quarantine(filter: QuarantineFilter, { limit, after }: PageAsked, reading: Reading): Promise<RowPage> {
    return listQuarantine(this.read(reading), filter, limit, after);
  }

  quarantined(id: string, reading: Reading): Promise<QuarantinedRecord> {
    return showQuarantined(this.read(reading), id);
  }

  /** Rows of the books that have these values. */
  books(list: BookList, values: Readonly<Record<string, string | number | undefined>>, { limit, after }: PageAsked, reading: Reading): Promise<RowPage> {
    return readPage(this.read(reading).engine, BOOK_LISTS[list], having(values), limit, after);
  }

  explain(key: string, reading: Reading): Promise<Explanation> {
    return explain(this.read(reading), key);
  }

  reconcile(reading: Reading): Promise<Reconciliation[]> {
    return reconcile(this.read(reading));
  }

  replay(filter: QuarantineFilter): Promise<ReplaySummary> {
    return replayBeside(this.instance, filter);
  }

  private read({ asOf, stop }: Reading): Instance {
    if (asOf !== null && asOf > this.last) {
      const remedy = this.last === 0 ? 'Nothing was committed yet: ask without as_of.' : `The batches are 1 to ${this.last}.`;
      throw new AdvertiseXError('not_found', `There is no batch ${asOf}`, remedy);
    }
    return { ...this.instance, engine: new BesideEngine(this.reads, stop, { latest: asOf }) };
  }
}
