import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** What is free on the file system of a data directory, and what the directory takes. */
export interface DiskFigures {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly usedBytes: number;
}

/** Asks the system. What the directory takes is looked for where it has a limit. */
export function diskMeasure(directory: string, limitBytes: number | undefined, nowMicros: () => number): () => Promise<DiskFigures> {
  const sizes = limitBytes === undefined ? undefined : new FolderSize(directory, limitBytes, nowMicros);
  return async () => {
    const { bavail, blocks, bsize } = await statfs(directory);
    const freeBytes = bavail * bsize;
    return { freeBytes, totalBytes: blocks * bsize, usedBytes: (await sizes?.bytes(freeBytes)) ?? 0 };
  };
}

const NEAR_SHARE = 0.8;
const WALK_AFTER_MICROS = 60_000_000;
/** Where it matters whose the growth is. */
const WALK_SOONER_MICROS = 5_000_000;

/** What a folder takes. It may have many thousand files: between two looks at all of them, what the file system has lost is taken for its growth. */
class FolderSize {
  private readonly folder: string;
  private readonly limitBytes: number;
  private readonly nowMicros: () => number;
  private walked: { readonly atMicros: number; readonly bytes: number; readonly freeBytes: number } | undefined;

  constructor(folder: string, limitBytes: number, nowMicros: () => number) {
    this.folder = folder;
    this.limitBytes = limitBytes;
    this.nowMicros = nowMicros;
  }

  async bytes(freeBytes: number): Promise<number> {
    const { walked } = this;
    const now = this.nowMicros();
    if (walked !== undefined && freeBytes <= walked.freeBytes) {
      const bytes = walked.bytes + walked.freeBytes - freeBytes;
      const isNear = bytes >= NEAR_SHARE * this.limitBytes;
      if (now - walked.atMicros < (isNear ? WALK_SOONER_MICROS : WALK_AFTER_MICROS)) return bytes;
    }
    this.walked = { atMicros: now, bytes: await sizeOf(this.folder), freeBytes };
    return this.walked.bytes;
  }
}

/** What goes away meanwhile counts for nothing. */
async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    // Blocks of 512 bytes, where the system counts them: a database has holes.
    bytes += found === undefined ? 0 : Math.max(found.blocks * 512, found.blocks === 0 ? found.size : 0);
  }
  return bytes;
}
