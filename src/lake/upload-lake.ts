import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { AdvertiseXError } from '../domain/errors.ts';
import { ObjectChanged, type StoredObject } from '../object-store/object-store.ts';
import { isVisible, slicePath } from './lake-layout.ts';
import { type LakeManifest, type ManifestFile, type ManifestTable, readManifest } from './lake-manifest.ts';
import { Lanes } from './lanes.ts';
import {
  listRemote,
  otherWriter,
  type RemoteLake,
  type RemoteManifest,
  readRemoteManifest,
  remoteUrl,
  replaceManifest,
  reportingRemoteFailures,
} from './remote-lake.ts';

export interface UploadOptions {
  /** Puts every file there again, changed or not. */
  readonly everything?: boolean;
  /** Removes also files that no export put there. */
  readonly sweep?: boolean;
  /** Also where the lake that is there is that of another data directory, or newer than this one. */
  readonly takeOver?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: { readonly filesDone: number; readonly filesToDo: number }) => void;
}

export interface LakeUpload {
  readonly location: string;
  readonly uploaded: number;
  readonly bytes: number;
  readonly removed: number;
}

const UPLOADS_AT_ONCE = 4;
/** So that an upload that broke off goes on with the files that are not there yet. */
const CONTENT = 'advertisex-sha256';

/**
 * Brings a lake in an object store to what the lake on this machine is. Every object is replaced at once, and only as the version that
 * was seen: of two writers at the same time one fails, at the latest at the manifest, which says beforehand which days may be newer and is
 * replaced last. Files that are no part of it any more go after that.
 */
export async function uploadLake(local: string, lake: RemoteLake, options: UploadOptions = {}): Promise<LakeUpload> {
  const { signal } = options;
  return reportingRemoteFailures(lake, signal, async () => {
    const nothing = { location: remoteUrl(lake), uploaded: 0, bytes: 0, removed: 0 };
    const wanted = await readManifest(local);
    if (wanted === undefined) return nothing;
    const seen = await readRemoteManifest(lake, signal);
    if (options.takeOver !== true) requireOurs(lake, wanted, seen);
    const objects = await listRemote(lake, signal);
    const parts = wanted.tables.flatMap((table) => table.files.map((file) => planPart(table, file, wanted, seen, objects.get(file.path), options)));
    const toDo = parts.filter(({ etag }) => etag === undefined);
    const gone = leftovers(wanted, objects, options.sweep ?? false);
    if (toDo.length === 0 && gone.length === 0 && isSaid(wanted, seen.manifest, lake.writer)) return nothing;
    const claim = toDo.length === 0 ? seen.etag : await replaceManifest(lake, seen.etag, claimOf(wanted, seen, lake, toDo), signal);
    const bytes = await uploadParts(local, lake, toDo, options);
    await replaceManifest(lake, claim, finished(wanted, lake, parts), signal);
    for (const path of gone) await lake.store.remove(lake.prefix + path, signal);
    const uploaded = toDo.filter(({ isSent }) => isSent).length;
    return { ...nothing, uploaded, bytes, removed: gone.length };
  });
}

interface Part {
  readonly table: ManifestTable;
  readonly file: ManifestFile;
  /** What is there in its place. */
  readonly before: StoredObject | undefined;
  /** Of the object that has this content; undefined until it is there. */
  etag: string | undefined;
  isSent: boolean;
}

function planPart(
  table: ManifestTable,
  file: ManifestFile,
  { origin }: LakeManifest,
  { manifest }: RemoteManifest,
  before: StoredObject | undefined,
  { everything = false }: UploadOptions,
): Part {
  const said = manifest?.origin === origin ? manifest.tables.find(({ name }) => name === table.name)?.files.find(({ path }) => path === file.path) : undefined;
  const isSame =
    !everything &&
    said !== undefined &&
    said.etag !== undefined &&
    said.etag === before?.etag &&
    said.bytes === file.bytes &&
    said.rows === file.rows &&
    said.batch === file.batch;
  return { table, file, before, etag: isSame ? before?.etag : undefined, isSent: false };
}

async function uploadParts(local: string, lake: RemoteLake, parts: readonly Part[], options: UploadOptions): Promise<number> {
  const lanes = new Lanes(UPLOADS_AT_ONCE);
  let filesDone = 0;
  let bytes = 0;
  const uploads = parts.map((part) =>
    lanes.run(async () => {
      part.etag = await uploadPart(local, lake, part, options);
      if (part.isSent) bytes += part.file.bytes;
      options.onProgress?.({ filesDone: ++filesDone, filesToDo: parts.length });
    }),
  );
  try {
    await Promise.all(uploads);
  } catch (error) {
    await lanes.breakOff(error);
    throw error;
  }
  return bytes;
}

/** Gives the etag of the object that has the content of the file. */
async function uploadPart(local: string, lake: RemoteLake, part: Part, { everything, signal }: UploadOptions): Promise<string> {
  const { file, before } = part;
  const { store, prefix, encryption } = lake;
  const path = join(local, file.path);
  const key = prefix + file.path;
  const sha256 = await hashFile(path);
  const etagOfContent = async (): Promise<string | undefined> => {
    const head = await store.head(key, signal);
    return head?.bytes === file.bytes && head.metadata[CONTENT] === sha256 ? head.etag : undefined;
  };
  if (everything !== true && before?.bytes === file.bytes) {
    const etag = await etagOfContent();
    if (etag !== undefined) return etag;
  }
  part.isSent = true;
  const replaces = before === undefined ? 'absent' : { etag: before.etag };
  try {
    return await store.put(key, { path, bytes: file.bytes }, { replaces, encryption, metadata: { [CONTENT]: sha256 } }, signal);
  } catch (error) {
    if (!(error instanceof ObjectChanged)) throw error;
    // The answer to a put may be lost, and the put is made again: then it is this one that is there.
    const etag = await etagOfContent();
    if (etag === undefined) throw otherWriter(lake, error);
    return etag;
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) hash.update(chunk);
  return hash.digest('hex');
}

/** As it was, and which days may be newer already: whoever reads the manifest meanwhile knows. */
function claimOf({ origin }: LakeManifest, { manifest }: RemoteManifest, { writer }: RemoteLake, toDo: readonly Part[]): LakeManifest {
  const writing: Record<string, string[]> = {};
  for (const { table, file } of toDo) writing[table.name] = [...(writing[table.name] ?? []), file.slice];
  return { format: 'advertisex-lake', version: 1, origin, writer, writing, tables: manifest?.origin === origin ? manifest.tables : [] };
}

function finished({ origin, tables }: LakeManifest, { writer }: RemoteLake, parts: readonly Part[]): LakeManifest {
  const etags = new Map(parts.map(({ file, etag }) => [file.path, etag]));
  const withEtag = (file: ManifestFile): ManifestFile => ({ ...file, etag: etags.get(file.path) });
  return { format: 'advertisex-lake', version: 1, origin, writer, tables: tables.map((table) => ({ ...table, files: table.files.map(withEtag) })) };
}

/** Whether the manifest that is there says all of this already. */
function isSaid(wanted: LakeManifest, said: LakeManifest | undefined, writer: string): boolean {
  if (said === undefined || said.origin !== wanted.origin || said.writer !== writer || said.writing !== undefined) return false;
  const batches = ({ tables }: LakeManifest) => JSON.stringify(tables.map(({ name, batch, columns, files }) => [name, batch, columns, files.length]));
  return batches(said) === batches(wanted);
}

/** Objects of these tables that are no part of the lake: those where exports put theirs, or all that engines would read. */
function leftovers({ tables }: LakeManifest, objects: ReadonlyMap<string, StoredObject>, sweep: boolean): string[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const wanted = new Set(tables.flatMap(({ files }) => files.map(({ path }) => path)));
  return [...objects.keys()].filter((path) => {
    const [name = '', ...rest] = path.split('/');
    const table = byName.get(name);
    if (table === undefined || wanted.has(path) || !rest.every(isVisible)) return false;
    return sweep || isOfLayout(table, path, rest);
  });
}

function isOfLayout(table: ManifestTable, path: string, [folder = '', file]: readonly string[]): boolean {
  const slice = file === undefined ? 'whole' : folder.replace(/^dt=/, '');
  try {
    return slicePath(table, slice) === path;
  } catch {
    return false;
  }
}

function requireOurs(lake: RemoteLake, wanted: LakeManifest, { etag, manifest }: RemoteManifest): void {
  if (etag === undefined) return;
  const remedy = 'Give lake.location another place; or, if this data directory is to write there from now on, run `advertisex lake export --take-over`.';
  if (manifest === undefined) throw new AdvertiseXError('lake_failed', `At ${remoteUrl(lake)} is a manifest that this version cannot read`, remedy);
  if (manifest.writer !== lake.writer && manifest.origin !== wanted.origin)
    throw new AdvertiseXError('lake_failed', `The lake at ${remoteUrl(lake)} is that of another data directory`, remedy);
  if (manifest.origin === wanted.origin && latest(manifest) > latest(wanted))
    throw new AdvertiseXError(
      'lake_failed',
      `The lake at ${remoteUrl(lake)} is as of batch ${latest(manifest)}, and this data directory is at batch ${latest(wanted)}: it seems to be an older copy`,
      remedy,
    );
}

function latest({ tables }: LakeManifest): number {
  return Math.max(0, ...tables.map(({ batch }) => batch));
}
