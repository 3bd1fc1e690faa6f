import { DuckDbEngine } from '../../src/engines/duckdb/duckdb-engine.ts';
import type { EngineRow } from '../../src/engines/engine.ts';

/** Run as a process in place of src/cli/killed-at-step.ts: the same, with a fault in how far a batch says that it took the log. */
const FAULTS: Readonly<Record<string, (rows: readonly EngineRow[]) => readonly EngineRow[]>> = {
  // Ahead of itself: what a restart finds there is passed over.
  loses: (rows) => rows.map((row) => ({ ...row, next_entry: Number(row['next_entry']) + 40 })),
  // Not at all: a restart takes everything that the log still has once more.
  doubles: () => [],
};

const [fault = '', ...given] = process.argv.slice(2);
const change = FAULTS[fault];
if (change !== undefined) {
  const { insert } = DuckDbEngine.prototype;
  DuckDbEngine.prototype.insert = function (table, rows) {
    return insert.call(this, table, table.name === 'source_positions' ? change(rows) : rows);
  };
  process.argv.splice(2, process.argv.length, ...given);
  await import('../../src/cli/killed-at-step.ts');
}
