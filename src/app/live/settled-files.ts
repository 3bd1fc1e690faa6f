import { existsSync } from 'node:fs';
import { mkdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FolderFile } from '../../sources/scan-folder.ts';

/** What becomes of a file in a watched folder once it is taken. */
export type AfterTaken = 'keep' | 'delete' | 'move';

/** Names in the folder: what begins with `_` is not looked at. */
const TAKEN_FOLDER = '_taken';
const DAMAGED_FOLDER = '_damaged';

/**
 * Deletes or moves a file that is taken, unless it is another one by now: false. A damaged one is never deleted, as there is more in it
 * than was taken.
 */
export async function putAway(folder: string, file: FolderFile, after: AfterTaken, isComplete: boolean): Promise<boolean> {
  if (after === 'keep' || (after === 'delete' && !isComplete)) return true;
  const { size, mtimeMs, ino } = await stat(file.path);
  if (`${size} ${mtimeMs} ${ino}` !== file.fingerprint) return false;
  if (after === 'delete') await unlink(file.path);
  else {
    const target = freeName(join(folder, isComplete ? TAKEN_FOLDER : DAMAGED_FOLDER, file.name));
    await mkdir(dirname(target), { recursive: true });
    await rename(file.path, target);
  }
  return true;
}

/** Files of the same name may have come one after the other. */
function freeName(path: string): string {
  let free = path;
  for (let number = 1; existsSync(free); number++) free = `${path}.${number}`;
  return free;
}
