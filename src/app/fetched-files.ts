import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AdvertiseXError, interrupted } from '../domain/errors.ts';
import { parseObjectUrl } from '../domain/object-location.ts';
import { fetchObject } from '../sources/fetch-object.ts';
import type { SourceFile } from '../sources/source-file.ts';
import type { FileContent, LocalBytes } from './file-content.ts';
import type { ObjectStores } from './object-stores.ts';

export interface FetchLimits {
  /** Of objects that are on this machine and not decoded yet: no other one is asked for while there is more. */
  readonly heldBytes: number;
  /** What is brought here before it is asked for, so that a network of long ways is kept busy. */
  readonly filesAhead: number;
  readonly bytesAhead: number;
}

const LIMITS: FetchLimits = { heldBytes: 268_435_456, filesAhead: 4, bytesAhead: 67_108_864 };

/**
 * Objects on their way through this machine: each is brought to a folder once, hashed on the way, and removed when it is decoded. So a hash
 * and a decoder that are far apart in time read the same bytes, and the network is used once.
 */
export class FetchedFiles {
  private readonly stores: Pick<ObjectStores, 'bucket'>;
  private readonly limits: FetchLimits;
  private readonly files: FetchedContent[] = [];
  private readonly stopping = new AbortController();
  private readonly underWay = new Set<Promise<unknown>>();
  private folder = '';
  private requireRoom: () => Promise<void> = async () => undefined;
  private heldBytes = 0;
  private onRoom: (() => void) | undefined;
  private fetches = 0;

  constructor(stores: Pick<ObjectStores, 'bucket'>, limits: FetchLimits = LIMITS) {
    this.stores = stores;
    this.limits = limits;
  }

  /** In the order in which they will be asked for. */
  add(file: SourceFile, sha256: string | undefined): FileContent {
    const content = new FetchedContent(this, file, this.files.length, sha256);
    this.files.push(content);
    return content;
  }

  /** To be called before anything is brought here. `requireRoom` throws where the disk has none. */
  useFolder(folder: string, requireRoom: () => Promise<void>): void {
    this.folder = join(folder, 'fetched-objects');
    this.requireRoom = requireRoom;
  }

  /** Resolves once another file may be asked for. */
  async room(): Promise<void> {
    while (this.heldBytes >= this.limits.heldBytes) {
      if (this.stopping.signal.aborted) throw interrupted();
      await new Promise<void>((resolve) => {
        this.onRoom = resolve;
      });
    }
  }

  hold(bytes: number): void {
    this.heldBytes += bytes;
    this.onRoom?.();
  }

  /** Begins with those that will be asked for next. */
  fetchAhead(number: number): void {
    let bytes = 0;
    for (const file of this.files.slice(number + 1, number + 1 + this.limits.filesAhead)) {
      bytes += file.file.bytes;
      if (bytes > this.limits.bytesAhead) return;
      file.fetchUnknown();
    }
  }

  fetch(file: SourceFile): Promise<FetchedBytes> {
    const fetching = this.bring(file, join(this.folder, String(this.fetches++)));
    this.underWay.add(fetching);
    fetching.catch(() => undefined).finally(() => this.underWay.delete(fetching));
    return fetching;
  }

  private async bring(file: SourceFile, path: string): Promise<FetchedBytes> {
    const { signal } = this.stopping;
    if (signal.aborted) throw interrupted();
    await this.requireRoom();
    await mkdir(this.folder, { recursive: true });
    const store = await this.stores.bucket(parseObjectUrl(file.path).bucket);
    const sha256 = await fetchObject(store, file, path, signal);
    return { path, sha256, modifiedMs: (await stat(path)).mtimeMs };
  }

  async close(): Promise<void> {
    this.stopping.abort();
    this.onRoom?.();
    await Promise.allSettled(this.underWay);
  }
}

interface FetchedBytes extends LocalBytes {
  readonly sha256: string;
}

class FetchedContent implements FileContent {
  readonly file: SourceFile;
  private readonly files: FetchedFiles;
  private readonly number: number;
  private sha256: string | undefined;
  private bytes: Promise<FetchedBytes> | undefined;
  private isHeld = false;
  private users = 0;

  constructor(files: FetchedFiles, file: SourceFile, number: number, sha256: string | undefined) {
    this.files = files;
    this.file = file;
    this.number = number;
    this.sha256 = sha256;
  }

  know(sha256: string): void {
    this.sha256 ??= sha256;
  }

  async hash(): Promise<string> {
    // What was brought here ahead is asked for with it.
    if (this.sha256 === undefined || this.bytes !== undefined) await this.here();
    return this.sha256 as string;
  }

  here(): Promise<LocalBytes> {
    if (!this.isHeld) this.files.hold(this.file.bytes);
    this.isHeld = true;
    const bytes = this.fetch();
    this.files.fetchAhead(this.number);
    return bytes;
  }

  fetchUnknown(): void {
    if (this.sha256 === undefined) void this.fetch();
  }

  async use<T>(work: (bytes: LocalBytes) => Promise<T>): Promise<T> {
    this.users++;
    try {
      return await work(await this.fetch());
    } finally {
      this.users--;
      await this.removeUnused();
    }
  }

  async letGo(): Promise<void> {
    if (this.isHeld) this.files.hold(-this.file.bytes);
    this.isHeld = false;
    await this.removeUnused();
  }

  private fetch(): Promise<FetchedBytes> {
    if (this.bytes !== undefined) return this.bytes;
    const bytes = this.files.fetch(this.file).then((fetched) => this.requireSame(fetched));
    this.bytes = bytes;
    // What failed may be tried again.
    bytes.catch(() => {
      if (this.bytes === bytes) this.bytes = undefined;
    });
    return bytes;
  }

  private requireSame(bytes: FetchedBytes): FetchedBytes {
    this.sha256 ??= bytes.sha256;
    if (this.sha256 === bytes.sha256) return bytes;
    throw new AdvertiseXError(
      'source_changed',
      `${this.file.path} has other bytes than it had, under the same version`,
      'Check what the object store does with that object, then run the same command again.',
    );
  }

  private async removeUnused(): Promise<void> {
    if (this.isHeld || this.users > 0 || this.bytes === undefined) return;
    const { bytes } = this;
    this.bytes = undefined;
    const path = await bytes.then(
      (fetched) => fetched.path,
      () => undefined,
    );
    if (path !== undefined) await rm(path, { force: true });
  }
}
