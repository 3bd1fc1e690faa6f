import { join } from 'node:path';
import type { Engine, EngineReader } from '../engines/engine.ts';
import type { LakeColumn, LakePosition, LakeSlice, LakeSource, LakeTable, LakeType } from '../lake/lake-source.ts';
import { WHOLE } from '../lake/lake-source.ts';
import { Lanes } from '../lake/lanes.ts';

/** How a table of the lake follows from the tables of the instance. */
interface LakeView {
  /** The reporting day of a row, as an expression over the view; absent for reference data. */
  readonly day?: string;
  /** Days that may differ since batch $since, as a query of one DATE column. */
  readonly changed: string;
  /** Days of which rows were removed for their age since batch $since, as a query of one DATE column `day`. */
  readonly expired?: string;
  /** A row a record: a day may be too large to go with others. */
  readonly large?: boolean;
  /** The archived table that the view shows, but for versions that were taken back: its files are the lake's. */
  readonly archived?: string;
  /** Days on which the view does not show all rows of the archived table, as a query of one DATE column. */
  readonly retracted?: string;
}

/** From so many rows on a day is copied by a statement of its own, which takes a third less time and memory than one that parts rows by day. */
const ROWS_OF_A_LARGE_DAY = 50_000;

const retracted = (table: string, day: string, key: string, retractions = table) => `
  select f.${day} as day from store.${table} f join store.retractions r on r.row_key = f.${key} and r.since_batch = f.since_batch
  where r.table_name = '${retractions}' and r.batch_id > $since`;
const versions = (table: string, day: string, key: string, retractions = table) => `
  select ${day} as day from store.${table} where since_batch > $since union ${retracted(table, day, key, retractions)}`;
const added = (table: string, day = 'report_date') => `select distinct ${day} as day from store.${table} where batch_id > $since`;

const expired = (table: string) => `select day from store.expirations where table_name = '${table}' and batch_id > $since`;
/** Hours are UTC: those of a reporting day may be of the day before it, or behind it. */
const hoursExpired = `select e.day + n.days as day from (${expired('campaign_hourly')}) e cross join (select -1 as days union all select 0 union all select 1) n`;

const VIEWS: Readonly<Record<string, LakeView>> = {
  'silver.impressions': {
    day: 'report_date',
    changed: versions('exposures', 'report_date', 'event_key', 'impressions'),
    expired: expired('impressions'),
    large: true,
    archived: 'impressions',
    retracted: retracted('exposures', 'report_date', 'event_key', 'impressions'),
  },
  'silver.clicks': { day: 'report_date', changed: versions('clicks', 'report_date', 'event_key'), expired: expired('clicks'), large: true },
  'silver.conversions': { day: 'report_date', changed: added('conversions'), expired: expired('conversions') },
  'silver.bid_requests': {
    day: 'report_date',
    changed: 'select distinct report_date as day from store.bid_requests where since_batch > $since',
    expired: expired('bid_requests'),
    large: true,
    archived: 'bid_requests',
  },
  'gold.attribution': { day: 'conversion_date', changed: versions('attribution', 'conversion_date', 'conversion_key'), expired: expired('attribution') },
  'gold.campaign_hourly': { day: 'cast(hour as date)', changed: added('campaign_hourly', 'cast(hour as date)'), expired: hoursExpired },
  'gold.campaign_daily': { day: 'report_date', changed: added('campaign_hourly'), expired: expired('campaign_hourly') },
  // Names and rates come from reference data, so a change of it changes every day.
  'gold.campaign_report': {
    day: 'report_date',
    changed: `${added('campaign_hourly')} union select report_date from store.campaign_hourly where exists (select 1 from store.campaigns where batch_id > $since)`,
    // Reach is counted from impressions.
    expired: `${expired('campaign_hourly')} union ${expired('impressions')}`,
  },
  'gold.creative_daily': { day: 'report_date', changed: added('creative_daily'), expired: expired('creative_daily') },
  'gold.website_daily': { day: 'report_date', changed: added('website_daily'), expired: expired('website_daily') },
  'gold.auction_daily': { day: 'report_date', changed: added('auction_daily'), expired: expired('auction_daily') },
  'gold.conversion_lag': { day: 'report_date', changed: versions('attribution', 'conversion_date', 'conversion_key'), expired: expired('attribution') },
  'ref.campaigns': { changed: 'select null as day from store.campaigns where batch_id > $since' },
  'ref.creatives': { changed: 'select null as day from store.creatives where batch_id > $since' },
  'ref.users': { changed: 'select null as day from store.users where batch_id > $since' },
  'ref.currency_rates': { changed: 'select null as day from store.currency_rates where batch_id > $since' },
};

const LAKE_TYPE_OF: Readonly<Record<string, LakeType>> = {
  VARCHAR: 'varchar',
  BIGINT: 'bigint',
  DOUBLE: 'double',
  BOOLEAN: 'boolean',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  BLOB: 'binary',
};

/**
 * The tables of an instance, as the lake reads them: beside batches, each time as one of them left the tables. Once the signal is
 * aborted, what is read stops.
 */
export async function lakeSource({ engine }: { readonly engine: Pick<Engine, 'withReader'> }, signal?: AbortSignal): Promise<LakeSource> {
  const read = <T>(asOf: number | null, work: (reader: EngineReader) => Promise<T>) => engine.withReader(asOf, work, signal);
  const tables: LakeTable[] = [];
  await read(null, async (reader) => {
    for (const [name, view] of Object.entries(VIEWS)) {
      const described = await reader.rows<{ column_name: string; column_type: string }>(`describe select * from ${name}`);
      const columns = described.map((column): LakeColumn => ({ name: column.column_name, type: LAKE_TYPE_OF[column.column_type] ?? 'varchar' }));
      tables.push({ name, columns, divided: view.day === undefined ? 'whole' : 'by_day' });
    }
  });
  let batch = 0;
  // A large day keeps all processors and much of the engine's memory busy: two at the same time would only need more of it.
  const largeCopies = new Lanes(1);
  const viewOf = (table: LakeTable) => VIEWS[table.name] as LakeView;
  return {
    tables,
    async position(): Promise<LakePosition> {
      const [last] = await read(null, (reader) =>
        reader.rows<{ batch: bigint | null; origin: bigint | null }>('select max(batch_id) as batch, min(committed_at) as origin from store.batches'),
      );
      batch = Number(last?.batch ?? 0);
      return { batch, origin: String(last?.origin ?? 'empty') };
    },
    async slicesChangedSince(table: LakeTable, since: number | null): Promise<LakeSlice[]> {
      const { day, changed } = viewOf(table);
      // With what later batches changed as well: those days are copied as of `batch` all the same.
      const sql = `select distinct cast(day as varchar) as slice from (${changed}) c order by slice`;
      const rows = await read(null, (reader) => reader.rows<{ slice: string | null }>(sql, { since: since ?? 0 }));
      if (day === undefined) return rows.length > 0 ? [WHOLE] : [];
      const gone = since === null ? [] : await expiredSince(table, since);
      return [...new Set([...rows.map((row) => row.slice as string), ...gone])].sort();
    },
    slicesExpiredSince: expiredSince,
    async copySlices(table: LakeTable, slices: readonly LakeSlice[], folder: string): Promise<ReadonlyMap<LakeSlice, string>> {
      const { day, large, archived } = viewOf(table);
      return read(batch, async (reader) => {
        const copies = new Map<LakeSlice, string>();
        const copyAlone = async (slice: LakeSlice, condition: string) => {
          const path = join(folder, `${slice}.parquet`);
          await reader.copyToParquet(`select * from ${table.name}${condition}`, path);
          copies.set(slice, path);
        };
        if (day === undefined) {
          await copyAlone(WHOLE, '');
          return copies;
        }
        for (const slice of archived === undefined ? [] : await shownAsArchived(reader, table, slices)) {
          const path = join(folder, `${slice}.parquet`);
          if (await reader.copyArchivedDay(archived as string, slice, path)) copies.set(slice, path);
        }
        const rest = slices.filter((slice) => !copies.has(slice));
        const alone = new Set(large ? await largeDays(reader, table, rest) : rest.length === 1 ? rest : []);
        for (const slice of alone) {
          const copy = () => copyAlone(slice, ` where ${day} = ${date(slice)}`);
          await (large ? largeCopies.run(copy) : copy());
        }
        const together = rest.filter((slice) => !alone.has(slice));
        if (together.length === 0) return copies;
        const sql = `select *, ${day} as dt from ${table.name} where ${day} in (${together.map(date).join(', ')})`;
        for (const [slice, path] of await reader.copyToParquetByDay(sql, 'dt', join(folder, 'days'))) copies.set(slice, path);
        return copies;
      });
    },
    async rowsBySlice(table: LakeTable, at: number): Promise<ReadonlyMap<LakeSlice, number>> {
      const { day } = viewOf(table);
      return read(at, (reader) => countBySlice(reader, table.name, day === undefined ? `'${WHOLE}'` : `cast(${day} as varchar)`));
    },
  };

  async function expiredSince(table: LakeTable, since: number): Promise<ReadonlySet<LakeSlice>> {
    const { expired } = viewOf(table);
    if (expired === undefined) return new Set();
    const sql = `select distinct cast(day as varchar) as slice from (${expired}) e`;
    const rows = await read(null, (reader) => reader.rows<{ slice: string }>(sql, { since }));
    return new Set(rows.map(({ slice }) => slice));
  }

  async function shownAsArchived(reader: EngineReader, table: LakeTable, slices: readonly LakeSlice[]): Promise<LakeSlice[]> {
    const { retracted } = viewOf(table);
    if (retracted === undefined || slices.length === 0) return [...slices];
    const isAsked = `day in (${slices.map(date).join(', ')})`;
    const rows = await reader.rows<{ slice: string }>(`select distinct cast(day as varchar) as slice from (${retracted}) r where ${isAsked}`, { since: 0 });
    const others = new Set(rows.map(({ slice }) => slice));
    return slices.filter((slice) => !others.has(slice));
  }

  async function largeDays(reader: EngineReader, table: LakeTable, slices: readonly LakeSlice[]): Promise<LakeSlice[]> {
    if (slices.length === 0) return [];
    const { day } = viewOf(table);
    const counts = await countBySlice(reader, `${table.name} where ${day} in (${slices.map(date).join(', ')})`, `cast(${day} as varchar)`);
    return slices.filter((slice) => (counts.get(slice) ?? 0) >= ROWS_OF_A_LARGE_DAY);
  }

  async function countBySlice(reader: EngineReader, from: string, slice: string): Promise<Map<LakeSlice, number>> {
    const rows = await reader.rows<{ slice: string; count: bigint }>(`select ${slice} as slice, count(*) as count from ${from} group by 1`);
    return new Map(rows.map((row) => [row.slice, Number(row.count)]));
  }
}

function date(slice: LakeSlice): string {
  return `cast('${slice}' as date)`;
}
