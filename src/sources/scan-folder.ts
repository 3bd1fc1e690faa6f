import { readdir, realpath, stat } from 'node:fs/promises';
import { join, matchesGlob, relative } from 'node:path';
import type { SourceFile } from './source-file.ts';

export interface FolderFile extends SourceFile {
  /** From the folder that is watched. */
  readonly name: string;
  /** Changes whenever the file does: another file under its name, another size, another time. */
  readonly fingerprint: string;
}

export interface FolderScan {
  readonly files: readonly FolderFile[];
  /** What could not be looked at; the rest was. */
  readonly problems: readonly string[];
}

/** Names that programs give to what they are still writing, or keep for themselves: dot files, `_temporary`, `day.csv.part`. */
const UNFINISHED = /^[._]|~$|\.(tmp|temp|part|partial|filepart|crdownload|download|swp|lock)$|\.tmp[.-]|\._COPYING_$/i;

/**
 * The complete-looking files of a folder and the folders in it, in the order of their names. Throws where the folder itself cannot
 * be read. `pattern`: a glob for names from the folder on.
 */
export async function scanFolder(folder: string, pattern?: string): Promise<FolderScan> {
  const files: FolderFile[] = [];
  const problems: string[] = [];
  const look = async (directory: string, parents: readonly string[]): Promise<void> => {
    const place = await realpath(directory);
    // A link to a folder that leads here would never end.
    if (parents.includes(place)) return;
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (UNFINISHED.test(entry.name)) continue;
      const path = join(directory, entry.name);
      try {
        const found = await stat(path);
        const name = relative(folder, path);
        if (found.isDirectory()) await look(path, [...parents, place]);
        else if (found.isFile() && (pattern === undefined || matchesGlob(name, pattern))) {
          const { size, mtimeMs, ino } = found;
          files.push({ path, name, bytes: size, modifiedMs: mtimeMs, fingerprint: `${size} ${mtimeMs} ${ino}` });
        }
      } catch (error) {
        // What was removed in between is no problem.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') problems.push(`${path} cannot be looked at: ${(error as Error).message}`);
      }
    }
  };
  await look(folder, []);
  files.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return { files, problems };
}
