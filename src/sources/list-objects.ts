import { posix } from 'node:path';
import { AdvertiseXError } from '../domain/errors.ts';
import { objectUrl, parseObjectUrl } from '../domain/object-location.ts';
import type { ObjectStore, StoredObject } from '../object-store/object-store.ts';
import type { SourceFile } from './source-file.ts';

const GLOB = /[*?[\]{}!]/;

/**
 * What `s3://bucket/…` names: the object of that key; else, of a pattern, what matches; else all objects below it, as in a folder. Keys of
 * which a part behind that begins with `.` or `_` are somebody's work in progress. In the order of their keys.
 */
export async function listObjects(url: string, openBucket: (bucket: string) => Promise<ObjectStore>, signal?: AbortSignal): Promise<SourceFile[]> {
  const { bucket, key } = parseObjectUrl(url);
  const store = await openBucket(bucket);
  const object = key === '' || key.endsWith('/') ? undefined : await store.head(key, signal);
  if (object !== undefined) return [describeObject(bucket, object)];
  const found = await (GLOB.test(key) ? matching(store, key, signal) : below(store, key, signal));
  if (found.length > 0) return found;
  throw new AdvertiseXError(
    'source_unreadable',
    `There is no object at ${url}, nor any below it`,
    "Check the bucket and the key. For keys that only begin so, quote a pattern: 's3://bucket/logs/2026-03-*.gz' (* ends at a slash, ** does not).",
  );
}

/** Objects of a bucket whose keys match a pattern, which may say anything that a pattern of files may. */
export async function matching(store: ObjectStore, pattern: string, signal?: AbortSignal): Promise<SourceFile[]> {
  const plain = pattern.slice(0, pattern.search(GLOB));
  return collect(store, plain, (key) => posix.matchesGlob(key, pattern), signal);
}

/** All objects below a key that stands for a folder, as far as they look finished. */
export async function below(store: ObjectStore, folder: string, signal?: AbortSignal): Promise<SourceFile[]> {
  const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
  return collect(store, prefix, (key) => !isHidden(key.slice(prefix.length)), signal);
}

async function collect(store: ObjectStore, prefix: string, isWanted: (key: string) => boolean, signal?: AbortSignal): Promise<SourceFile[]> {
  const found: SourceFile[] = [];
  for await (const object of store.list(prefix, signal)) {
    // Consoles make an empty object for what they show as a folder.
    if (!object.key.endsWith('/') && isWanted(object.key)) found.push(describeObject(store.bucket, object));
  }
  return found;
}

function isHidden(name: string): boolean {
  return name.split('/').some((part) => part.startsWith('.') || part.startsWith('_'));
}

function describeObject(bucket: string, { key, bytes, etag, modifiedMs }: StoredObject): SourceFile {
  return { path: objectUrl({ bucket, key }), bytes, modifiedMs, version: etag };
}
