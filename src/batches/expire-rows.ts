import type { Engine } from '../engines/engine.ts';
import type { ApplyContext } from './apply-context.ts';
import type { CommittedBatch } from './batch.ts';
import { BATCHES, KEPT } from './store-tables.ts';
import { SUM_TABLES } from './sum-tables.ts';

/** What is removed by age, by what each row is as old as. */
export const EXPIRING = ['attribution', 'conversions', 'clicks', 'impressions', 'bid_requests', 'quarantine', 'gold'] as const;
export type Expiring = (typeof EXPIRING)[number];

/** Days before this one go. */
export interface Cutoff {
  /** `YYYY-MM-DD` */
  readonly day: string;
  /** The moment at which it begins in the reporting time zone. */
  readonly atMicros: number;
}

export interface ExpiredRows {
  readonly table: Expiring;
  readonly day: string;
  readonly rows: number;
}

interface ExpiringTable {
  /** Rows as readers see them, one query of `day`, `feed`, `source`, `of_batch` and `rows` a stored table. */
  readonly books: readonly { readonly table: string; readonly select: (before: string) => string }[];
  /** What goes before the rows do: it is found by them. */
  readonly first?: (before: string) => readonly string[];
  /** Stored tables, and the DATE by which their rows go. */
  readonly stored: readonly { readonly table: string; readonly column: string }[];
}

const NOBODY = 'cast(null as varchar)';
const events = (table: string, feed: string, from: string): ExpiringTable['books'][number] => ({
  table,
  select: (before) =>
    `select report_date as day, '${feed}' as feed, ${NOBODY} as source, batch_id as of_batch, count(*) as rows from ${from} where report_date < ${before} group by all`,
});
/** What was taken back of rows that are gone says nothing any more. */
const retractionsOf = (table: string, key: string, from: string, column: string) => (before: string) => [
  `delete from store.retractions where table_name = '${table}' and row_key in (select ${key} from ${from} where ${column} < ${before})`,
];
const RECEIVED_ON = 'cast(q.received_at as date)';

const TABLES: Readonly<Record<Expiring, ExpiringTable>> = {
  impressions: {
    books: [events('impressions', 'ad-impressions', 'store.current_impressions')],
    first: retractionsOf('impressions', 'event_key', 'store.exposures', 'report_date'),
    stored: [
      { table: 'store.impressions', column: 'report_date' },
      { table: 'store.exposures', column: 'report_date' },
    ],
  },
  clicks: {
    books: [events('clicks', 'clicks-conversions', 'store.current_clicks')],
    first: retractionsOf('clicks', 'event_key', 'store.clicks', 'report_date'),
    stored: [{ table: 'store.clicks', column: 'report_date' }],
  },
  conversions: {
    books: [events('conversions', 'clicks-conversions', 'store.conversions')],
    stored: [{ table: 'store.conversions', column: 'report_date' }],
  },
  bid_requests: {
    books: [events('bid_requests', 'bid-requests', 'store.bid_requests')],
    stored: [{ table: 'store.bid_requests', column: 'report_date' }],
  },
  attribution: {
    books: [
      {
        table: 'attribution',
        select: (before) =>
          `select conversion_date as day, ${NOBODY} as feed, ${NOBODY} as source, cast(null as bigint) as of_batch, count(*) as rows
           from store.current_attribution where conversion_date < ${before} group by all`,
      },
    ],
    first: retractionsOf('attribution', 'conversion_key', 'store.attribution', 'conversion_date'),
    stored: [{ table: 'store.attribution', column: 'conversion_date' }],
  },
  quarantine: {
    books: [
      {
        table: 'quarantine',
        // Replayed ones are in the ledger as what they became.
        select: (before) =>
          `select ${RECEIVED_ON} as day, q.feed, q.source, q.batch_id as of_batch, count(case when r.quarantine_id is null then 1 end) as rows
           from store.quarantine q left join store.replays r on r.quarantine_id = q.quarantine_id where ${RECEIVED_ON} < ${before} group by all`,
      },
    ],
    first: (before) => [
      `delete from store.replays where quarantine_id in (select q.quarantine_id from store.quarantine q where ${RECEIVED_ON} < ${before})`,
      `delete from store.quarantine q where ${RECEIVED_ON} < ${before}`,
    ],
    stored: [],
  },
  gold: {
    books: SUM_TABLES.map(({ table: { name: table } }) => ({
      table,
      select: (before) =>
        `select report_date as day, ${NOBODY} as feed, ${NOBODY} as source, cast(null as bigint) as of_batch, count(*) as rows
         from store.${table} where report_date < ${before} group by all`,
    })),
    stored: SUM_TABLES.flatMap(({ table, folded }) => [table, folded]).map(({ name }) => ({ table: `store.${name}`, column: 'report_date' })),
  },
};

/** What would go: a row a table and day, the earliest days first. */
export async function expiringRows(engine: Engine, cutoffs: ReadonlyMap<Expiring, Cutoff>): Promise<ExpiredRows[]> {
  const found: ExpiredRows[] = [];
  for (const [table, { day }] of cutoffs) {
    const selects = TABLES[table].books.map(({ select }) => `select day, rows from (${select(date(day))}) b`).join(' union all ');
    const rows = await engine.rows<{ day: string; rows: bigint }>(
      `select cast(day as varchar) as day, cast(sum(rows) as bigint) as rows from (${selects}) b group by day`,
    );
    found.push(...rows.map((row) => ({ table, day: row.day, rows: Number(row.rows) })));
  }
  return found.sort((a, b) => (a.day === b.day ? EXPIRING.indexOf(a.table) - EXPIRING.indexOf(b.table) : a.day < b.day ? -1 : 1));
}

/**
 * Removes the rows of tables before their days, in one transaction that is a batch of its own, and says so in the books: what the ledger says was
 * accepted is in the tables or in `store.expirations`. Identities stay, so that what comes again is a duplicate.
 */
export async function expireRows(context: ApplyContext, cutoffs: ReadonlyMap<Expiring, Cutoff>): Promise<CommittedBatch> {
  const { engine, onStep } = context;
  onStep?.('expire/begin');
  const batchId = await engine.transaction(async () => {
    const [row] = await engine.rows<{ next: bigint }>('select coalesce(max(batch_id), 0) + 1 as next from store.batches');
    const batch = Number(row?.next);
    await engine.setVariables({ batch, cause: 'retention', asOf: null });
    for (const [table, { day, atMicros }] of cutoffs) {
      onStep?.(`expire/${table}`);
      await removeRows(engine, TABLES[table], day);
      await engine.insert(KEPT, [{ table_name: table, kept_from: day, kept_from_time: atMicros, batch_id: batch }]);
    }
    const nothing = { received: 0, accepted: 0, duplicate: 0, quarantined: 0, restated: 0 };
    await engine.insert(BATCHES, [{ batch_id: batch, cause: 'retention', committed_at: context.nowMicros(), ...nothing }]);
    onStep?.('expire/commit');
    return batch;
  });
  onStep?.('expire/committed');
  return { batchId, outcomes: { received: 0, accepted: 0, duplicate: 0, quarantined: 0 }, bySource: new Map(), restated: 0 };
}

async function removeRows(engine: Engine, { books, first, stored }: ExpiringTable, day: string): Promise<void> {
  const before = date(day);
  for (const { table, select } of books)
    await engine.run(`insert into store.expirations by name select '${table}' as table_name, b.*, this_batch() as batch_id from (${select(before)}) b`);
  for (const statement of first?.(before) ?? []) await engine.run(statement);
  for (const { table, column } of stored) await engine.removeBefore(table, column, day);
}

function date(day: string): string {
  return `cast('${day}' as date)`;
}
