import type { Engine } from '../engines/engine.ts';
import type { ApplyContext } from './apply-context.ts';
import { type Model, runModel } from './models.ts';
import type { Step } from './steps.ts';

/** Rows of the work tables that an engine has from the batches before; views count as empty. One that nothing has read yet is not there. */
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

/** What steps need of a batch's context. */
export type StepContext = Pick<ApplyContext, 'engine' | 'models' | 'onStep'>;

/**
 * Runs the steps that have something to read, and adds the tables that they put rows into to `filled`. The work tables of the
 * other steps are left empty, or out until a step reads them: most batches touch little, and what a batch does not touch costs it nothing.
 */
export async function runSteps({ engine, models, onStep }: StepContext, steps: readonly Step[], filled: Set<string>): Promise<void> {
  const tables = workTables(engine);
  const isDue = ({ onlyWith }: Step) => onlyWith === undefined || onlyWith.some((table) => filled.has(table));
  const run = async (model: Model) => {
    for (const name of model.reads) if (!tables.has(name)) await makeWhatIsRead(name);
    tables.set(model.name, await runModel(engine, model));
  };
  // By its own definition: of a step that was not due it finds no rows, and what a kept one finds holds until it is due.
  const makeWhatIsRead = async (name: string) => {
    const model = workModels(models).get(name);
    if (model !== undefined) await run(model);
  };
  for (const step of steps) {
    const model = models.get(step.model) as Model;
    const before = tables.get(model.name);
    if (isDue(step)) {
      onStep?.(step.model);
      await run(model);
      if ((tables.get(model.name) as number) > 0) filled.add(model.name);
    } else if (model.kind === 'work' && !step.isKept && before !== undefined && before !== 0) {
      await engine.run(`delete from ${model.name}`);
      tables.set(model.name, 0);
    }
  }
}

const workModelsOf = new WeakMap<ReadonlyMap<string, Model>, ReadonlyMap<string, Model>>();

/** Models of what is made for a batch alone, by the names of their tables and views. */
function workModels(models: ReadonlyMap<string, Model>): ReadonlyMap<string, Model> {
  const known =
    workModelsOf.get(models) ?? new Map([...models.values()].filter(({ kind }) => kind === 'work' || kind === 'work-view').map((model) => [model.name, model]));
  workModelsOf.set(models, known);
  return known;
}
