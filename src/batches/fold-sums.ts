import type { Engine } from '../engines/engine.ts';
import { FOLD_MARKS, SUM_TABLES, type SumTable } from './sum-tables.ts';

export interface FoldContext {
  readonly engine: Engine;
  /** Runs work that writes, with no batch beside it. A fold gives way to batches between its slices. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
  /** Told before each step of a slice, and when it is committed. What it throws stops the fold. */
  readonly onStep?: (step: string) => void;
}

export interface FoldOptions {
  /** With fewer batches since the last fold there is nothing to gain. */
  readonly fromBatches: number;
  /** A slice takes so many of their rows, and a whole batch at least. */
  readonly sliceRows?: number;
}

export interface FoldedSums {
  /** Rows that were put together, and what they became. */
  readonly rows: number;
  readonly into: number;
}

/** Beside a year of figures a slice of so many takes a tenth of a second. */
const SLICE_ROWS = 10_000;

/**
 * Puts together what batches added to the same row of sums, so that the figures of now are read from one row each, however many
 * batches there were. What was put together moves to the table of folded rows, and holds as of the batches of before.
 */
export async function foldSums({ engine, alone, onStep }: FoldContext, { fromBatches, sliceRows = SLICE_ROWS }: FoldOptions): Promise<FoldedSums> {
  const sums = { rows: 0, into: 0 };
  // Those that come meanwhile are for the next fold: there might be no end of them.
  const upTo = await alone(() => engine.transaction(() => lastBatch(engine)));
  for (const sum of SUM_TABLES) {
    let least = fromBatches;
    for (;;) {
      const part = { upTo, least, sliceRows, ...(onStep === undefined ? {} : { onStep }) };
      const slice = await alone(() => engine.transaction(() => foldSlice(engine, sum, part)));
      if (slice === undefined) break;
      onStep?.('folded');
      sums.rows += slice.rows;
      sums.into += slice.into;
      least = 1;
    }
  }
  return sums;
}

async function lastBatch(engine: Engine): Promise<number> {
  const [row] = await engine.rows<{ last: bigint }>('select coalesce(max(batch_id), 0) as last from store.batches');
  return Number(row?.last);
}

interface Slice extends Pick<FoldContext, 'onStep'> {
  readonly upTo: number;
  readonly least: number;
  readonly sliceRows: number;
}

async function foldSlice(
  engine: Engine,
  { table, folded, grain, measures }: SumTable,
  { upTo, least, sliceRows, onStep }: Slice,
): Promise<FoldedSums | undefined> {
  const name = `store.${table.name}`;
  const [mark] = await engine.rows<{ folded_to: bigint }>(`select folded_to from store.fold_marks where table_name = '${table.name}'`);
  const from = Number(mark?.folded_to ?? 0);
  const batches = await engine.rows<{ batch_id: bigint; rows: bigint; first_day: string; last_day: string }>(
    `select batch_id, count(*) as rows, cast(min(report_date) as varchar) as first_day, cast(max(report_date) as varchar) as last_day
     from ${name} where batch_id > ${from} and batch_id <= ${upTo} group by batch_id order by batch_id`,
  );
  if (batches.length < Math.max(1, least)) return undefined;
  const slice: typeof batches = [];
  for (let rows = 0; rows < sliceRows && slice.length < batches.length; rows += Number(slice.at(-1)?.rows))
    slice.push(batches[slice.length] as (typeof batches)[0]);
  const to = Number(slice.at(-1)?.batch_id);
  const days = slice.flatMap(({ first_day, last_day }) => [first_day, last_day]).filter((day) => day !== null);
  // Days alone say where to look: of a year of sums, all but the last weeks are passed over.
  const near = days.length === 0 ? 'false' : `report_date between date '${days.reduce(earlier)}' and date '${days.reduce(later)}' and batch_id <= ${to}`;
  const columns = grain.join(', ');
  const sameRow = (other: string) => grain.map((column) => `${other}.${column} is not distinct from t.${column}`).join(' and ');
  onStep?.('folding');
  await engine.run(
    `create or replace temp table folding as
     select t.* from ${name} t where ${near} and exists (select 1 from (select distinct ${columns} from ${name} where batch_id > ${from} and batch_id <= ${to}) fresh where ${sameRow('fresh')})
     qualify count(*) over (partition by ${columns}) > 1`,
  );
  onStep?.('move folded rows');
  const rows = await engine.run(`insert into store.${folded.name} by name select *, cast(${to} as bigint) as until_batch from folding`);
  await engine.run(`delete from ${name} t where ${near} and exists (select 1 from folding f where ${sameRow('f')})`);
  onStep?.('add folded sums');
  const into = await engine.run(
    `insert into ${name} by name
     select ${columns}, ${measures.map((measure) => `cast(sum(${measure}) as bigint) as ${measure}`).join(', ')}, cast(${to} as bigint) as batch_id
     from folding group by ${columns}`,
  );
  await engine.run('drop table folding');
  await engine.run(`delete from store.fold_marks where table_name = '${table.name}'`);
  await engine.insert(FOLD_MARKS, [{ table_name: table.name, folded_to: to }]);
  onStep?.('commit fold');
  return { rows, into };
}

function earlier(a: string, b: string): string {
  return a < b ? a : b;
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}
