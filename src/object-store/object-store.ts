/**
 * One bucket of an object store. Every call is tried again by itself where the store is slow, busy or away for a moment; what it
 * throws after that is an `AdvertiseXError` that says what to do, or `ObjectChanged`. Objects appear whole or not at all.
 */
export interface ObjectStore {
  readonly bucket: string;
  /** Objects whose keys begin so, page after page. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject>;
  /** Undefined where there is none. */
  head(key: string, signal?: AbortSignal): Promise<ObjectHead | undefined>;
  /**
   * Bytes of this version of an object, from `from` on. Throws `ObjectChanged` where it is another one by now, or none. What the body
   * throws on its way is the connection's: it can be read on from the byte where it ended.
   */
  read(key: string, version: { readonly etag: string; readonly from: number }, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Throws `ObjectChanged` where the condition does not hold, and then nothing is changed. Gives the etag. */
  put(key: string, content: ObjectContent, options: PutOptions, signal?: AbortSignal): Promise<string>;
  /** Also where there is none. */
  remove(key: string, signal?: AbortSignal): Promise<void>;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** Another one whenever the bytes are; with its quotes, as the store gives it. */
  readonly etag: string;
  readonly modifiedMs: number;
}

export interface ObjectHead extends StoredObject {
  /** As it was put, names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

export type ObjectContent = { readonly text: string } | { readonly path: string; readonly bytes: number };

export interface PutOptions {
  /** `absent`: there must be none; else what is there must be this version. */
  readonly replaces: 'absent' | { readonly etag: string };
  readonly metadata?: Readonly<Record<string, string>>;
  readonly encryption?: Encryption | undefined;
}

/** On the server. `kms` without a key: by the bucket's own. */
export type Encryption = { readonly kind: 'aes256' } | { readonly kind: 'kms'; readonly key?: string | undefined };

/** What is there is not what it was. */
export class ObjectChanged extends Error {
  constructor(key: string, cause?: unknown) {
    super(`${key} is not what it was`, cause === undefined ? undefined : { cause });
    this.name = 'ObjectChanged';
  }
}

/** How a store is reached. Credentials are no part of it: they come from where the machine has them. */
export interface StoreSettings {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly path_style?: boolean | undefined;
}
