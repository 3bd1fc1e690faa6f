import { glob, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AdvertiseXError, unreadableSource } from '../domain/errors.ts';

export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** Files, folders (all files in them, at any depth) and globs, as files in the order of their names; each once. Hidden files and ones that start with `_` are somebody's work in progress. */
export async function listFiles(paths: readonly string[]): Promise<SourceFile[]> {
  const found = new Map<string, SourceFile>();
  for (const path of paths) {
    for (const file of await expand(path)) found.set(file.path, file);
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

async function expand(path: string): Promise<SourceFile[]> {
  const direct = await describeFile(resolve(path));
  if (direct !== undefined) return direct === 'directory' ? filesBelow(resolve(path)) : [direct];
  const matches: SourceFile[] = [];
  for await (const match of glob(path)) {
    const file = await describeFile(resolve(match));
    if (file === 'directory') matches.push(...(await filesBelow(resolve(match))));
    else if (file !== undefined) matches.push(file);
  }
  if (matches.length === 0)
    throw new AdvertiseXError(
      'source_unreadable',
      `There is no file, folder or match for ${path}`,
      "Check the path. Quote a pattern ('logs/*.jsonl.gz') to leave it to AdvertiseX.",
    );
  return matches;
}

async function filesBelow(directory: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true }).catch((cause) => Promise.reject(unreadableSource(directory, cause)))) {
    if (entry.name.startsWith('.') || entry.name.startsWith('_')) continue;
    const path = join(directory, entry.name);
    const file = await describeFile(path);
    if (file === 'directory') files.push(...(await filesBelow(path)));
    else if (file !== undefined) files.push(file);
  }
  return files;
}

async function describeFile(path: string): Promise<SourceFile | 'directory' | undefined> {
  try {
    const { size, mtimeMs, ...stats } = await stat(path).then((found) => ({ size: found.size, mtimeMs: found.mtimeMs, directory: found.isDirectory() }));
    return stats.directory ? 'directory' : { path, bytes: size, modifiedMs: mtimeMs };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreadableSource(path, cause);
  }
}
