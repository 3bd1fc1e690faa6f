import { type BatchRange, cutRange, mergeRanges, withoutRanges } from './batch-ranges.ts';
import type { FoldContext } from './fold-sums.ts';
import { FOLDS, SUM_TABLES } from './sum-tables.ts';

export interface ForgetOptions {
  readonly nowMicros: number;
  /** Sums can be read as of every batch of so many hours, */
  readonly asOfHours: number;
  /** and as of the last batch of each day (UTC) for so many days, */
  readonly asOfDays: number;
  /** and as of these. */
  readonly keep: readonly number[];
  /** Fewer are not worth it. */
  readonly fromBatches: number;
}

/** Batches that are forgotten in one transaction. */
const BATCHES_A_SLICE = 5_000;
const HOUR_MICROS = 3_600_000_000;

/**
 * Removes folded rows that hold only as of batches that are old enough, and writes down that sums cannot be read as of those any
 * more: in one transaction, so that nobody ever reads what is left of them. Says how many batches it were.
 */
export async function forgetBatches(context: FoldContext, options: ForgetOptions): Promise<number> {
  const { engine, alone } = context;
  const forgettable = await alone(() => engine.transaction(() => findForgettable(context, options)));
  const batches = forgettable.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  if (batches === 0 || batches < options.fromBatches) return 0;
  for (const range of forgettable.flatMap((each) => cutRange(each, BATCHES_A_SLICE))) {
    await alone(() => engine.transaction(() => forgetRange(context, range, options.nowMicros)));
    context.onStep?.('forgotten');
  }
  return batches;
}

async function findForgettable({ engine }: FoldContext, { nowMicros, asOfHours, asOfDays, keep }: ForgetOptions): Promise<BatchRange[]> {
  const at = (micros: number) => `make_timestamp(cast(${micros} as bigint))`;
  const [oldest] = await engine.rows<{ batch: bigint | null }>(
    `select max(batch_id) as batch from store.batches where committed_at <= ${at(nowMicros - asOfHours * HOUR_MICROS)}`,
  );
  const [mark] = await engine.rows<{ folded_to: bigint | null }>('select max(folded_to) as folded_to from store.fold_marks');
  // What was not folded stands as each batch added it.
  const readable = Math.min(Number(oldest?.batch ?? 0), Number(mark?.folded_to ?? 0));
  if (readable < 2) return [];
  const days = await engine.rows<{ batch: bigint }>(
    `select max(batch_id) as batch from store.batches where committed_at >= ${at(nowMicros - asOfDays * 24 * HOUR_MICROS)} group by cast(committed_at as date)`,
  );
  const kept = [...keep, ...days.map(({ batch }) => Number(batch))].map((batch) => ({ first: batch, last: batch }));
  return withoutRanges({ first: 1, last: readable - 1 }, [...kept, ...(await foldedRanges({ engine }))]);
}

async function forgetRange({ engine, onStep }: FoldContext, range: BatchRange, nowMicros: number): Promise<void> {
  const before = await foldedRanges({ engine });
  const { first, last } = mergeRanges([...before, range]).find((each) => each.first <= range.first && range.last <= each.last) as BatchRange;
  onStep?.('forget batches');
  await engine.run(`delete from store.folds where first_batch >= ${first} and last_batch <= ${last}`);
  await engine.insert(FOLDS, [{ first_batch: first, last_batch: last, folded_at: nowMicros }]);
  for (const { folded } of SUM_TABLES)
    await engine.run(`delete from store.${folded.name} where until_batch > ${first} and until_batch <= ${last + 1} and batch_id >= ${first}`);
  onStep?.('commit forgetting');
}

async function foldedRanges({ engine }: Pick<FoldContext, 'engine'>): Promise<BatchRange[]> {
  const rows = await engine.rows<{ first_batch: bigint; last_batch: bigint }>('select first_batch, last_batch from store.folds');
  return rows.map((row) => ({ first: Number(row.first_batch), last: Number(row.last_batch) }));
}
