import type { Engine } from '../engines/engine.ts';
import type { ApplyContext } from './apply-context.ts';
import { type Model, runModel } from './models.ts';
import type { Step } from './steps.ts';

/** Rows of the work tables that an engine has from the batches before; views count as empty. */
const rowsHeld = new WeakMap<Engine, Map<string, number>>();

export function workTables(engine: Engine): Map<string, number> {
  const tables = rowsHeld.get(engine) ?? new Map<string, number>();
  rowsHeld.set(engine, tables);
  return tables;
}

/** After a batch that failed: what it made is gone, and what it emptied is not. */
export function forgetWorkTables(engine: Engine): void {
  rowsHeld.delete(engine);
}

/**
 * Runs the steps that have something to read, and adds the tables that they put rows into to `filled`. The work tables of the
 * other steps are left empty: most batches touch little, and what a batch does not touch costs it nothing.
 */
export async function runSteps({ engine, models, onStep }: ApplyContext, steps: readonly Step[], filled: Set<string>): Promise<void> {
  const tables = workTables(engine);
  for (const { model: path, onlyWith, isKept } of steps) {
    const model = models.get(path) as Model;
    const before = tables.get(model.name);
    const isDue = onlyWith === undefined || onlyWith.some((table) => filled.has(table));
    if (before !== undefined && (model.kind === 'work-view' || (isKept && !isDue))) continue;
    if (isDue || isKept) {
      onStep?.(path);
      const rows = await runModel(engine, model);
      if (rows > 0) filled.add(model.name);
      tables.set(model.name, rows);
    } else if (model.kind === 'work' && before !== 0) {
      // A table that is not there yet is made by its own definition, which finds no rows.
      if (before === undefined) await runModel(engine, model);
      else await engine.run(`delete from ${model.name}`);
      tables.set(model.name, 0);
    }
  }
}
