import { glob, readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AdvertiseXError, unreadableSource } from '../domain/errors.ts';
import type { SourceFile } from './source-file.ts';

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

/** `parents` are the folders that lead here, without links: a link to one of them would never end. */
async function filesBelow(directory: string, parents: readonly string[] = []): Promise<SourceFile[]> {
  const unreadable = (cause: unknown) => Promise.reject(unreadableSource(directory, cause));
  const place = await realpath(directory).catch(unreadable);
  if (parents.includes(place)) return [];
  const files: SourceFile[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(unreadable)) {
    if (entry.name.startsWith('.') || entry.name.startsWith('_')) continue;
    const path = join(directory, entry.name);
    const file = await describeFile(path);
    if (file === 'directory') files.push(...(await filesBelow(path, [...parents, place])));
    else if (file !== undefined) files.push(file);
    else if (entry.isSymbolicLink()) {
      throw new AdvertiseXError('source_unreadable', `${path} is a link to something that is not there`, 'Remove the link, or bring back what it points to.');
    }
  }
  return files;
}

async function describeFile(path: string): Promise<SourceFile | 'directory' | undefined> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
    throw unreadableSource(path, cause);
  });
  if (found === undefined) return undefined;
  if (found.isDirectory()) return 'directory';
  // A file is read twice: first to know it, then to take it. From a pipe the second reading would get nothing.
  if (!found.isFile()) {
    throw new AdvertiseXError(
      'source_unreadable',
      `${path} is not a file: it is a pipe or a device`,
      'Pipe it into standard input instead: `… | advertisex ingest FEED -`.',
    );
  }
  return { path, bytes: found.size, modifiedMs: found.mtimeMs };
}
