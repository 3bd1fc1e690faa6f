import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { BesideEngine, type Reads } from '../../engines/remote/beside-engine.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { DataDirectory } from '../data-directory.ts';

/** Folders may have thousands of files, and whoever scrapes is not to wait for them. */
const LOOK_SECONDS = 60;
const ENGINE_SECONDS = 5;
const LONGEST_WAIT_MS = 500;

export interface DataSizes {
  readonly metrics: Metrics;
  readonly directory: DataDirectory;
  readonly reads: Reads | undefined;
  readonly stopping: AbortController;
  /** Seconds of a clock that nobody sets. */
  readonly nowSeconds: () => number;
}

/** Measures what the data takes when it is asked for, and no oftener than is good for the rest: between, it is as it was. */
export function watchDataSizes(sizes: DataSizes): void {
  const { metrics, nowSeconds, reads, stopping } = sizes;
  metrics.onExpose(notOftener(LOOK_SECONDS, nowSeconds, () => measureFiles(sizes)));
  if (reads !== undefined) metrics.onExpose(notOftener(ENGINE_SECONDS, nowSeconds, () => measureEngine(metrics, reads, stopping)));
}

/** What takes longer than a moment goes on, and is shown the next time. */
function notOftener(seconds: number, nowSeconds: () => number, measure: () => Promise<void>): () => Promise<void> {
  let since = Number.NEGATIVE_INFINITY;
  let measuring: Promise<void> | undefined;
  return async () => {
    if (measuring === undefined && nowSeconds() - since >= seconds) {
      since = nowSeconds();
      // What cannot be measured at the moment is as it was.
      measuring = measure()
        .catch(() => undefined)
        .finally(() => {
          measuring = undefined;
        });
    }
    if (measuring === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LONGEST_WAIT_MS);
    await Promise.race([measuring, promise]);
    clearTimeout(timer);
  };
}

async function measureFiles({ metrics, directory }: DataSizes): Promise<void> {
  const { database, archive, lake, staging, spill, log, raw, path } = directory;
  metrics.set('advertisex_data_bytes', { part: 'database' }, await fileBytes(database));
  metrics.set('advertisex_data_bytes', { part: 'wal' }, await fileBytes(`${database}.wal`));
  for (const [part, folder] of Object.entries({ archive, lake, staging, spill, log, raw }))
    metrics.set('advertisex_data_bytes', { part }, await folderBytes(folder));
  const { bavail, bsize } = await statfs(path);
  metrics.set('advertisex_disk_free_bytes', {}, bavail * bsize);
}

async function measureEngine(metrics: Metrics, reads: Reads, stopping: AbortController): Promise<void> {
  const [row] = await new BesideEngine(reads, stopping, { goesOn: true }).rows<{ memory: bigint; spilled: bigint }>(
    'select sum(memory_usage_bytes)::bigint as memory, sum(temporary_storage_bytes)::bigint as spilled from duckdb_memory()',
  );
  metrics.set('advertisex_engine_memory_bytes', {}, Number(row?.memory ?? 0));
  metrics.set('advertisex_engine_spilled_bytes', {}, Number(row?.spilled ?? 0));
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) if (entry.isFile()) bytes += await fileBytes(join(entry.parentPath, entry.name));
  return bytes;
}

/** 0 where there is none, or where it is gone by now. */
async function fileBytes(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
