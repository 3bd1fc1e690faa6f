/** Connects the application, on DuckDB, to the properties. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import { type Instance, openInstance } from '../../src/app/instance.ts';
import { replayQuarantine } from '../../src/app/quarantine.ts';
import { rebuild } from '../../src/app/rebuild.ts';
import { reconcile } from '../../src/app/recon.ts';
import { type FoldContext, foldSums } from '../../src/batches/fold-sums.ts';
import { forgetBatches } from '../../src/batches/forget-batches.ts';
import { settingsSchema } from '../../src/config/settings.ts';
import { loadContracts } from '../../src/contracts/load-contract.ts';
import type { EngineRow } from '../../src/engines/engine.ts';
import type { ReceivedFile } from '../reference/reference.ts';
import type { ReferenceSettings, Row, Value } from '../reference/words.ts';
import type { MeasuredRow, Product } from './product.ts';

export async function openDuckDbProduct(settings: ReferenceSettings): Promise<Product> {
  const folder = await mkdtemp(join(tmpdir(), 'advertisex-property-'));
  const clock = { micros: 0 };
  const instance = await open(join(folder, 'data'), settings, 'write', clock);
  return new DuckDbProduct(instance, join(folder, 'files'), clock);
}

async function open(dataDirectory: string, settings: ReferenceSettings, access: 'write' | 'rebuild', clock: { readonly micros: number }): Promise<Instance> {
  return openInstance({
    dataDirectory,
    settings: settingsSchema.parse({ ...settings, limits: { ...settings.limits, workers: 1, threads: 1, memory: '500MB' } }),
    contracts: await loadContracts(join(import.meta.dirname, '../../contracts')),
    access,
    command: 'test',
    // Short, so that identities stand in runs of every kind; what one batch brings is searched for in either way.
    runSizes: { runEvents: 6, filteredEvents: 12 },
    nowMicros: () => clock.micros,
    archiveFromRows: 2,
  });
}

class DuckDbProduct implements Product {
  instance: Instance;
  readonly folder: string;
  readonly clock: { micros: number };

  constructor(instance: Instance, folder: string, clock: { micros: number }) {
    this.instance = instance;
    this.folder = folder;
    this.clock = clock;
  }

  async ingest(files: readonly ReceivedFile[]): Promise<void> {
    for (const file of files) {
      await mkdir(dirname(join(this.folder, file.source)), { recursive: true });
      await writeFile(join(this.folder, file.source), file.bytes);
      this.clock.micros = Number(file.receivedAtMicros);
    }
    const requests = files.map((file) => ({
      feed: file.feed,
      paths: [join(this.folder, file.source)],
      encoding: file.encoding,
      sourceName: file.source,
      ...(file.delimiter === undefined ? {} : { delimiter: file.delimiter }),
    }));
    await ingestFiles(this.instance, requests);
  }

  async table(name: string, asOf?: number): Promise<Row[]> {
    return (await this.rows(SOURCES[name] ?? `select * from ${name}`, asOf)).map(toRow);
  }

  async report(asOf?: number): Promise<MeasuredRow[]> {
    const rows = await this.rows('select * from gold.campaign_model_report', asOf);
    const inMicros = ['spend', 'cpa', 'cpc', 'ecpm'];
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([column, value]) => [
          column,
          RATIOS.includes(column) && value !== null ? Number(value) * (inMicros.includes(column) ? 1e6 : 1) : toValue(column, value),
        ]),
      ),
    );
  }

  private async rows(sql: string, asOf: number | undefined): Promise<EngineRow[]> {
    const { engine } = this.instance;
    await engine.setVariables({ asOf: asOf ?? null });
    try {
      return await engine.rows(sql);
    } finally {
      await engine.setVariables({ asOf: null });
    }
  }

  async lastBatch(): Promise<number> {
    const [row] = await this.instance.engine.rows('select coalesce(max(batch_id), 0) as last from ops.batches');
    return Number(row!['last']);
  }

  async rebuild(settings?: ReferenceSettings): Promise<number> {
    if (settings !== undefined) {
      await this.instance.close();
      this.instance = await open(join(dirname(this.folder), 'data'), settings, 'rebuild', this.clock);
    }
    return (await rebuild(this.instance)).restated;
  }

  async fold(sliceRows: number): Promise<void> {
    await foldSums(this.foldContext(), { fromBatches: 1, sliceRows });
  }

  async forget(keep: readonly number[]): Promise<void> {
    await forgetBatches(this.foldContext(), { nowMicros: this.clock.micros + 3_600_000_000, asOfHours: 1, asOfDays: 0, keep, fromBatches: 1 });
  }

  private foldContext(): FoldContext {
    return { engine: this.instance.engine, alone: (work) => work() };
  }

  async replay(): Promise<void> {
    await replayQuarantine(this.instance, {});
  }

  async recon(): Promise<readonly string[]> {
    const broken = (await reconcile(this.instance)).filter((equation) => !equation.holds);
    return broken.map((equation) => `${equation.equation} ${equation.statement}`);
  }

  async close(): Promise<void> {
    await this.instance.close();
    await rm(dirname(this.folder), { recursive: true, force: true });
  }
}

/** Tables that the product calls otherwise, or does not keep as such. */
const SOURCES: Readonly<Record<string, string>> = {
  'ops.quarantine': 'select *, path as pointer from ops.quarantine',
  'ops.outcomes': `select feed, source, cast(sum(received) as bigint) as received, cast(sum(accepted) as bigint) as accepted,
    cast(sum(duplicate) as bigint) as duplicate, cast(sum(quarantined) as bigint) as quarantined from ops.ledger group by feed, source`,
};

function toRow(row: EngineRow): Row {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, toValue(column, value)]));
}

function toValue(column: string, value: EngineRow[string]): Value {
  if (typeof value === 'number' && /(_date|^start|^end)/.test(column)) return new Date(value * 86_400_000).toISOString().slice(0, 10);
  if (typeof value === 'number') return BigInt(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

/** Quotients of sums. Money among them comes in currency units; the reference reckons in micros. */
const RATIOS = ['ctr', 'cvr', 'spend', 'cpa', 'cpc', 'ecpm', 'roas', 'win_rate', 'frequency'];
