import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { applyBatch } from '../batches/apply-batch.ts';
import type { RunSizes } from '../batches/apply-context.ts';
import { loadModels, type Model, runModel } from '../batches/models.ts';
import { SETTINGS, storeTables } from '../batches/store-tables.ts';
import { bytesOfSize, type Settings } from '../config/settings.ts';
import { AdvertiseXError, interrupted } from '../domain/errors.ts';
import { DuckDbEngine } from '../engines/duckdb/duckdb-engine.ts';
import type { Engine } from '../engines/engine.ts';
import { BoundedReads } from '../engines/remote/bounded-reads.ts';
import { PROTOCOL } from '../engines/remote/protocol.ts';
import { ReadServer, type SharedWork } from '../engines/remote/serve-reads.ts';
import type { Contracts } from '../staging/staged-tables.ts';
import { BatchQueue } from './batch-queue.ts';
import { type DataDirectory, dataDirectory, giveBack, nameHolder, prepareDataDirectory, takeOver } from './data-directory.ts';
import { requireSameSettings, settingMacros } from './derived-settings.ts';
import { DiskBudget } from './disk-budget.ts';
import type { DiskFigures } from './disk-figures.ts';
import { openToRead } from './open-to-read.ts';

export interface InstanceOptions {
  readonly dataDirectory: string;
  readonly settings: Settings;
  readonly contracts: Contracts;
  /** `rebuild` may open data that was derived with other settings: it is what changes that. */
  readonly access: 'read' | 'write' | 'rebuild';
  /** What the process is doing, for whoever finds the data held. */
  readonly command: string;
  readonly nowMicros: () => number;
  /** Others may ask this process to write for them: `workForOthers` says how. */
  readonly worksForOthers?: boolean;
  /** What a batch adds to a day is archived from so many rows on, where a table is. Tests make it small. */
  readonly archiveFromRows?: number;
  /**
   * This process takes requests, too: the engine leaves a thread and half of the memory to them, and to what memory allocators keep. A batch of few rows on one thread takes a quarter less of the
   * processor.
   */
  readonly takesRequests?: boolean;
  /** Tests make runs of identities short. */
  readonly runSizes?: RunSizes;
  /** Tests say how full the disk is. */
  readonly measureDisk?: (() => Promise<DiskFigures>) | undefined;
  /** Told before each step of a batch. */
  readonly onStep?: (step: string) => void;
  /** Once it is aborted, what runs stops at the next step, and throws `interrupted`. */
  readonly signal?: AbortSignal;
}

/** One client's data, opened: what every command of the application works on. */
export interface Instance extends InstanceOptions {
  readonly directory: DataDirectory;
  readonly engine: Engine;
  readonly models: ReadonlyMap<string, Model>;
  /** How others read the tables while this process has them; absent where it only reads them itself. */
  readonly reads?: BoundedReads;
  /** Everything that writes to the tables goes through it. */
  readonly batches: BatchQueue;
  /** Asked before more is written. */
  readonly disk: DiskBudget;
  /** From now on, what others ask for is done. */
  workForOthers(work: SharedWork): void;
  close(): Promise<void>;
}

export async function openInstance(options: InstanceOptions): Promise<Instance> {
  const directory = dataDirectory(options.dataDirectory);
  if (options.access === 'read' && !existsSync(directory.database)) {
    throw new AdvertiseXError(
      'not_found',
      `There is no data in ${directory.path} yet`,
      'Ingest some (`advertisex ingest --help`), run `advertisex demo`, or name another data directory with --data.',
    );
  }
  const models = loadModels();
  const open: OpenEngine =
    options.access === 'read' ? await openToRead(directory, () => openEngine(options, directory)) : await openToWrite(options, directory, models);
  const onStep = (step: string): void => {
    options.onStep?.(step);
    requireGoing(options.signal);
  };
  const context = { ...options, workForOthers: () => undefined, ...open, onStep, directory, models };
  const disk = new DiskBudget({ directory: directory.path, limits: options.settings.limits, nowMicros: options.nowMicros, measure: options.measureDisk });
  const batches = new BatchQueue((batch) => applyBatch(context, batch));
  const close = async (): Promise<void> => {
    await batches.close();
    await open.close();
  };
  return { ...context, disk, batches, close };
}

type OpenEngine = Pick<Instance, 'engine' | 'reads' | 'close'> & Partial<Pick<Instance, 'workForOthers'>>;

function openEngine({ access, settings, contracts, archiveFromRows, takesRequests = false }: InstanceOptions, directory: DataDirectory): Promise<DuckDbEngine> {
  return DuckDbEngine.open({
    path: directory.database,
    access: access === 'read' ? 'read' : 'write',
    memory: takesRequests ? `${Math.ceil(bytesOfSize(settings.limits.memory) / 2_000_000)}MB` : settings.limits.memory,
    threads: settings.limits.threads ?? Math.max(1, availableParallelism() - (takesRequests ? 1 : 0)),
    spillDirectory: directory.spill,
    archive: { directory: directory.archive, tables: storeTables(contracts), ...(archiveFromRows === undefined ? {} : { fromRows: archiveFromRows }) },
    // Others can have their queries run by the process that writes.
    ...(access === 'read' ? {} : { directories: [directory.staging, directory.lake] }),
  });
}

/** From then on until it is closed, other processes read the tables through this one. */
async function openToWrite(options: InstanceOptions, directory: DataDirectory, models: Instance['models']): Promise<OpenEngine> {
  await prepareDataDirectory(directory);
  try {
    const engine = await openEngine(options, directory);
    const { query_seconds, query_spill } = options.settings.limits;
    const reads = new BoundedReads(engine, { limitMs: query_seconds * 1_000, spillBytes: bytesOfSize(query_spill) });
    const works = options.worksForOthers === true;
    const server = await ReadServer.listen({ works });
    const close = async () => {
      await server?.close();
      await reads.close();
      await giveBack(directory);
      await engine.close();
    };
    try {
      await takeOver(directory, options.command, options.nowMicros(), server && { reads: { address: server.address, protocol: PROTOCOL }, works });
      await prepareStore(engine, models, options);
      await engine.setVariables({ asOf: null });
      server?.begin(reads);
      return { engine, reads, close, workForOthers: (work) => server?.beginWork(work) };
    } catch (error) {
      await close();
      throw error;
    }
  } catch (error) {
    throw await nameHolder(directory, error);
  }
}

/** Throws once the work is to stop. */
function requireGoing(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interrupted();
}

/** Tables, macros and views, brought to what this version and these contracts say; nothing is done where they are that already. */
async function prepareStore(engine: Engine, models: ReadonlyMap<string, Model>, { contracts, settings, access }: InstanceOptions): Promise<void> {
  const tables = storeTables(contracts);
  const views = orderViews([...models.values()].filter((model) => model.kind === 'view'));
  const macros = settingMacros(settings);
  const described = JSON.stringify([tables, views.map((view) => view.select), macros, engine.dialect], (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  const layout = createHash('sha256').update(described).digest('hex');
  if ((await heldLayout(engine)) === layout) return requireSameSettings(engine, settings, access === 'rebuild' ? 'model-changes' : 'nothing');
  await engine.transaction(async () => {
    await engine.defineMacros(macros);
    await engine.ensureTables(tables);
    await requireSameSettings(engine, settings, access === 'rebuild' ? 'model-changes' : 'nothing');
    for (const view of views) await runModel(engine, view);
    await engine.run("delete from store.settings where name = 'layout'");
    await engine.insert(SETTINGS, [{ name: 'layout', value: layout }]);
  });
}

/** What the tables, macros and views were defined as last; undefined in a new database. */
async function heldLayout(engine: Engine): Promise<string | undefined> {
  const [table] = await engine.rows("select 1 as found from duckdb_tables() where schema_name = 'store' and table_name = 'settings'");
  if (table === undefined) return undefined;
  const [row] = await engine.rows<{ value: string }>("select value from store.settings where name = 'layout'");
  return row?.value;
}

/** Views after the views they read. */
function orderViews(views: readonly Model[]): Model[] {
  const ordered: Model[] = [];
  const place = (view: Model) => {
    if (ordered.includes(view)) return;
    for (const other of views)
      if (other !== view && new RegExp(`\\b${other.name.replace('.', '\\.')}\\b`).test(view.select.replace(/^\/\*[\s\S]*?\*\//, ''))) place(other);
    ordered.push(view);
  };
  for (const view of views) place(view);
  return ordered;
}
