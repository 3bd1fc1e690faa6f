import { AdvertiseXError, interrupted } from '../domain/errors.ts';
import { objectUrl } from '../domain/object-location.ts';
import { type Encryption, ObjectChanged, type ObjectStore, type StoredObject } from '../object-store/object-store.ts';
import { MANIFEST_FILE } from './lake-layout.ts';
import { type LakeManifest, parseManifest, renderManifest } from './lake-manifest.ts';

/** Where a lake is in an object store, and whose it is. */
export interface RemoteLake {
  readonly store: ObjectStore;
  /** Of all its keys: empty, or with a slash at its end. */
  readonly prefix: string;
  readonly encryption?: Encryption | undefined;
  /** Names the data directory that it is the lake of. */
  readonly writer: string;
}

/** The manifest that is there, as it can be replaced: by whoever has seen this version of it. */
export interface RemoteManifest {
  /** Undefined where there is none. */
  readonly etag: string | undefined;
  /** Undefined also where this version cannot read it. */
  readonly manifest: LakeManifest | undefined;
}

export function remoteUrl({ store: { bucket }, prefix }: RemoteLake): string {
  return objectUrl({ bucket, key: prefix });
}

export async function readRemoteManifest(lake: RemoteLake, signal: AbortSignal | undefined): Promise<RemoteManifest> {
  const key = lake.prefix + MANIFEST_FILE;
  for (;;) {
    const head = await lake.store.head(key, signal);
    if (head === undefined) return { etag: undefined, manifest: undefined };
    try {
      return { etag: head.etag, manifest: parseManifest(await readText(lake.store, key, head.etag, signal)) };
    } catch (error) {
      // Replaced in between: what is there now counts.
      if (!(error instanceof ObjectChanged)) throw error;
    }
  }
}

/** Puts a manifest in the place of the one that was seen; throws where it is another one by now. Gives its etag. */
export async function replaceManifest(lake: RemoteLake, seen: string | undefined, manifest: LakeManifest, signal: AbortSignal | undefined): Promise<string> {
  const key = lake.prefix + MANIFEST_FILE;
  const text = renderManifest(manifest);
  const { store, encryption } = lake;
  try {
    return await store.put(key, { text }, { replaces: seen === undefined ? 'absent' : { etag: seen }, encryption }, signal);
  } catch (error) {
    if (!(error instanceof ObjectChanged)) throw error;
    // The answer to a put may be lost, and the put is made again: then it is this one that is there.
    const head = await store.head(key, signal);
    if (head !== undefined && (await readText(store, key, head.etag, signal).catch(() => '')) === text) return head.etag;
    throw otherWriter(lake, error);
  }
}

/** Every object below a lake, by its path in it. */
export async function listRemote({ store, prefix }: RemoteLake, signal: AbortSignal | undefined): Promise<Map<string, StoredObject>> {
  const objects = new Map<string, StoredObject>();
  for await (const object of store.list(prefix, signal)) objects.set(object.key.slice(prefix.length), object);
  return objects;
}

async function readText(store: ObjectStore, key: string, etag: string, signal: AbortSignal | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await store.read(key, { etag, from: 0 }, signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

export function otherWriter(lake: RemoteLake, cause?: unknown): AdvertiseXError {
  return new AdvertiseXError(
    'lake_failed',
    `Another process writes the lake at ${remoteUrl(lake)} at the same time`,
    'Let one data directory alone write there: give the other one another lake.location. Then run `advertisex lake export`.',
    cause,
  );
}

/** What the store refuses comes out as an error of the lake, with what to do. */
export async function reportingRemoteFailures<T>(lake: RemoteLake, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted) throw interrupted(error);
    if (error instanceof ObjectChanged) throw otherWriter(lake, error);
    if (!(error instanceof AdvertiseXError) || error.code === 'lake_failed') throw error;
    throw new AdvertiseXError(
      'lake_failed',
      `The lake cannot be put to ${remoteUrl(lake)}: ${error.message}`,
      `${error.remedy} The tables are not affected, and each day that is there is whole.`,
      error,
    );
  }
}
