import { accessSync, constants, existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { AdvertiseXError } from '../domain/errors.ts';

/** One thing that `doctor` looked at. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'problem';
  /** What was found and, unless it is ok, what to do. */
  readonly detail: string;
}

const MEGABYTE = 1_048_576;
/** Besides the engine: decoders, buffers, Node.js itself. */
const EDGE_MEMORY_MB = 400;
const SMALLEST_FREE_DISK_MB = 1_024;

/** What the machine must have, looked at without opening the instance. */
export function checkEnvironment(dataDirectory: string, settings: () => Settings): Finding[] {
  const checked = attemptSettings(settings);
  return [checkNode(process.versions.node), checked.finding, checkMemory(checked.settings), checkDataDirectory(dataDirectory), checkDisk(dataDirectory)];
}

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > 22 || (major === 22 && minor >= 19);
  return { check: 'Node.js', state: enough ? 'ok' : 'problem', detail: enough ? version : `${version}: install 22.19 or newer` };
}

function attemptSettings(settings: () => Settings): { readonly finding: Finding; readonly settings?: Settings } {
  try {
    return { settings: settings(), finding: { check: 'settings', state: 'ok', detail: 'valid' } };
  } catch (error) {
    if (!(error instanceof AdvertiseXError)) throw error;
    return { finding: { check: 'settings', state: 'problem', detail: error.message.replaceAll('\n', '; ') } };
  }
}

function checkMemory(settings: Settings | undefined): Finding {
  const total = Math.floor(totalmem() / MEGABYTE);
  const free = Math.floor(freemem() / MEGABYTE);
  const wanted = megabytes(settings?.limits.memory ?? '800MB') + EDGE_MEMORY_MB;
  if (wanted > total) return { check: 'memory', state: 'problem', detail: `${total} MB, and limits.memory needs about ${wanted} MB: lower it` };
  return { check: 'memory', state: 'ok', detail: `${total} MB, ${free} MB of it free; an ingest takes up to about ${wanted} MB` };
}

function megabytes(size: string): number {
  return Number.parseInt(size, 10) * (size.endsWith('GB') ? 1_024 : 1);
}

function checkDataDirectory(directory: string): Finding {
  const check = 'data directory';
  try {
    if (!existsSync(directory)) {
      accessSync(existingParent(directory), constants.W_OK | constants.X_OK);
      return { check, state: 'ok', detail: `${directory} will be made by the first ingest` };
    }
    const probe = mkdtempSync(join(directory, '.doctor-'));
    try {
      writeFileSync(join(probe, 'probe'), 'x', { flush: true });
    } finally {
      rmSync(probe, { recursive: true });
    }
    return { check, state: 'ok', detail: `${directory} can be written` };
  } catch (error) {
    return {
      check,
      state: 'problem',
      detail: `${directory} cannot be written (${(error as NodeJS.ErrnoException).code}): check its owner and permissions, or choose another with --data`,
    };
  }
}

function checkDisk(directory: string): Finding {
  const { bavail, bsize } = statfsSync(existingParent(directory));
  const free = Math.floor((bavail * bsize) / MEGABYTE);
  if (free < SMALLEST_FREE_DISK_MB)
    return { check: 'disk', state: 'warning', detail: `${free} MB free: make room, a large ingest needs about the size of its files unpacked` };
  return { check: 'disk', state: 'ok', detail: `${free} MB free` };
}

function existingParent(directory: string): string {
  let parent = directory;
  while (!existsSync(parent)) parent = dirname(parent);
  return parent;
}
