import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Why a test does not run that needs one. */
export const NO_SMALL_DISK = 'a tmpfs cannot be mounted here';
const FILLER = 'filler';

/** A small file system of its own, where this user may make one; undefined elsewhere. It is removed by `unmountDisk`. */
export function mountDisk(folder: string, name: string, kilobytes: number): string | undefined {
  const mount = join(folder, name);
  mkdirSync(mount, { recursive: true });
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', mount]);
  return status === 0 ? mount : undefined;
}

export function unmountDisk(mount: string): void {
  spawnSync('umount', [mount]);
}

/** Takes all the space there is, but for about so much. */
export function fillDisk(mount: string, leftBytes = 0): void {
  const filler = join(mount, FILLER);
  for (let bytes = 1_048_576; bytes >= 1_024; bytes = full(filler, bytes) ? bytes / 4 : bytes);
  truncateSync(filler, Math.max(0, statSync(filler).size - leftBytes));
}

export function makeRoom(mount: string): void {
  rmSync(join(mount, FILLER), { force: true });
}

function full(filler: string, bytes: number): boolean {
  try {
    writeFileSync(filler, Buffer.alloc(bytes), { flag: existsSync(filler) ? 'a' : 'w' });
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return true;
    throw error;
  }
}
