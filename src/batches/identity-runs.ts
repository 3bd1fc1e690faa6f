import type { ApplyContext, RunSizes } from './apply-context.ts';
import type { FoldContext } from './fold-sums.ts';
import { FILTER_STEPS, FILTERED_RUNS, SEARCHED_RUNS } from './steps.ts';
import { runSteps, type StepContext } from './work-tables.ts';

const RUN_SIZES: RunSizes = { runEvents: 2 ** 20, filteredEvents: 200_000 };
/** So that a small batch after a large backfill does not wait for all its filters. */
const FILTERS_A_BATCH = 16;

/**
 * Tells the models which run takes the identities of a batch of so many events, and how the others are searched. Filters are
 * made by the small batches that profit by them: a backfill has nothing to do with them.
 */
export async function openRun(context: ApplyContext, events: number, filled: Set<string>): Promise<void> {
  const { engine, runSizes: { runEvents, filteredEvents } = RUN_SIZES } = context;
  const { filtered, runs } = await lookAtRuns(context);
  const last = runs.at(-1);
  const run = last === undefined ? filtered + 1n : last.events < runEvents ? last.run : last.run + 1n;
  await engine.run(`set variable this_run = cast(${run} as bigint)`);
  let searchedFrom = 0n;
  if (events <= filteredEvents) {
    searchedFrom = filtered + 1n;
    for (; searchedFrom < run && searchedFrom <= filtered + BigInt(FILTERS_A_BATCH); searchedFrom++) {
      await makeFilter(context, searchedFrom, filled);
    }
  }
  await engine.run(`set variable searched_from = cast(${searchedFrom} as bigint)`);
  if (searchedFrom > 1n) filled.add(FILTERED_RUNS);
  if (filtered > 0n || runs.length > 0) filled.add(SEARCHED_RUNS);
}

/** Makes the filters of complete runs that the next small batch would have to make: one at a time, each between two batches. */
export async function makeFilters(context: FilterContext): Promise<void> {
  const { engine, alone, runSizes: { runEvents } = RUN_SIZES } = context;
  const makeNext = async (): Promise<boolean> => {
    const { runs } = await lookAtRuns(context);
    const [next] = runs;
    if (next === undefined || next.events < runEvents) return false;
    const [last] = await engine.rows<{ batch: bigint }>('select max(batch_id) as batch from store.batches');
    await engine.setVariables({ batch: Number(last?.batch) });
    await makeFilter(context, next.run, new Set());
    return true;
  };
  while (await alone(() => engine.transaction(makeNext)));
}

type FilterContext = StepContext & Pick<ApplyContext, 'runSizes'> & Pick<FoldContext, 'alone'>;

interface Runs {
  /** The last run with a filter; those before it have one, too. */
  readonly filtered: bigint;
  /** Those after it, in order. */
  readonly runs: readonly { readonly run: bigint; readonly events: bigint }[];
}

async function lookAtRuns({ engine }: Pick<ApplyContext, 'engine'>): Promise<Runs> {
  const [{ filtered } = { filtered: 0n }] = await engine.rows<{ filtered: bigint }>('select coalesce(max(run), 0) as filtered from store.key_filters');
  const runs = await engine.rows<{ run: bigint; events: bigint }>(
    `select run, count(*) as events from store.identities where run > ${filtered} group by run order by run`,
  );
  return { filtered, runs };
}

async function makeFilter(context: StepContext, run: bigint, filled: Set<string>): Promise<void> {
  await context.engine.run(`set variable filtered_run = cast(${run} as bigint)`);
  await runSteps(context, FILTER_STEPS, filled);
}
