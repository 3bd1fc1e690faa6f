import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import {
  type Encryption,
  ObjectChanged,
  type ObjectContent,
  type ObjectHead,
  type ObjectStore,
  type PutOptions,
  type StoredObject,
  type StoreSettings,
} from '../object-store.ts';
import { isChanged, isMissing, s3Failure } from './s3-failure.ts';

/** Tests make them small. */
export interface S3Limits {
  /** A request, or a body on its way, of which nothing is heard for so long is given up, and tried again. */
  readonly idleMs: number;
  readonly connectMs: number;
  /** Of one call: with waits in between that grow to 20 s. */
  readonly attempts: number;
  /** A larger file is uploaded in parts of this size. */
  readonly partBytes: number;
  /** Keys a page; absent: as many as the store gives. */
  readonly pageKeys?: number;
}

const LIMITS: S3Limits = { idleMs: 30_000, connectMs: 10_000, attempts: 8, partBytes: 8_388_608 };

/** One connection pool for all buckets. */
export class S3 {
  private readonly client: S3Client;
  private readonly limits: S3Limits;

  constructor({ endpoint, region, path_style }: StoreSettings, limits: Partial<S3Limits> = {}) {
    this.limits = { ...LIMITS, ...limits };
    const { connectMs, idleMs, attempts } = this.limits;
    this.client = new S3Client({
      ...(endpoint === undefined ? {} : { endpoint }),
      // A region is part of every signature; servers other than AWS have this one unless they are told another.
      ...(region === undefined ? (endpoint === undefined ? {} : { region: 'us-east-1' }) : { region }),
      forcePathStyle: path_style ?? endpoint !== undefined,
      followRegionRedirects: true,
      retryMode: 'standard',
      maxAttempts: attempts,
      // A part may take long to be sent, as long as some of it is.
      requestHandler: { connectionTimeout: connectMs, socketTimeout: idleMs, requestTimeout: 10 * idleMs, throwOnRequestTimeout: true },
    });
  }

  bucket(name: string): ObjectStore {
    return new S3Bucket(name, this.client, this.limits);
  }

  close(): void {
    this.client.destroy();
  }
}

class S3Bucket implements ObjectStore {
  readonly bucket: string;
  private readonly client: S3Client;
  private readonly limits: S3Limits;

  constructor(bucket: string, client: S3Client, limits: S3Limits) {
    this.bucket = bucket;
    this.client = client;
    this.limits = limits;
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<StoredObject> {
    let next: string | undefined;
    do {
      const page = await this.attempt(prefix, () =>
        this.client.send(
          // Keys may hold characters that XML cannot.
          new ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix, ContinuationToken: next, MaxKeys: this.limits.pageKeys, EncodingType: 'url' }),
          stoppedBy(signal),
        ),
      );
      const keyOf = (key: string) => (page.EncodingType === 'url' ? decodeURIComponent(key.replaceAll('+', '%20')) : key);
      for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
        yield { key: keyOf(Key ?? ''), bytes: Size ?? 0, etag: ETag ?? '', modifiedMs: LastModified?.getTime() ?? 0 };
      }
      next = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (next !== undefined);
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectHead | undefined> {
    try {
      const { ContentLength, ETag, LastModified, Metadata } = await this.client.send(
        new HeadObjectCommand({ Bucket: this.bucket, Key: key }),
        stoppedBy(signal),
      );
      return { key, bytes: ContentLength ?? 0, etag: ETag ?? '', modifiedMs: LastModified?.getTime() ?? 0, metadata: Metadata ?? {} };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.failure(key, error);
    }
  }

  async read(key: string, { etag, from }: { readonly etag: string; readonly from: number }, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const range = from === 0 ? undefined : `bytes=${from}-`;
    const { Body } = await this.attempt(key, () =>
      this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key, IfMatch: etag, Range: range }), stoppedBy(signal)),
    );
    return Body as Readable;
  }

  async put(key: string, content: ObjectContent, { replaces, metadata, encryption }: PutOptions, signal?: AbortSignal): Promise<string> {
    const input = {
      Bucket: this.bucket,
      Key: key,
      ...(replaces === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: replaces.etag }),
      ...(metadata === undefined ? {} : { Metadata: { ...metadata } }),
      ...encryptionOf(encryption),
    };
    const { ETag } = await this.attempt(key, () => ('text' in content ? this.putText(input, content.text, signal) : this.putFile(input, content.path, signal)));
    return ETag ?? '';
  }

  async remove(key: string, signal?: AbortSignal): Promise<void> {
    await this.attempt(key, () => this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }), stoppedBy(signal)));
  }

  private putText(input: PutObjectCommandInput, text: string, signal: AbortSignal | undefined): Promise<{ ETag?: string | undefined }> {
    return this.client.send(new PutObjectCommand({ ...input, Body: text, ContentType: 'application/json' }), stoppedBy(signal));
  }

  /** Part by part where it is large: each is tried again by itself, and nothing is seen of any before the last. */
  private async putFile(input: PutObjectCommandInput, path: string, signal: AbortSignal | undefined): Promise<{ ETag?: string | undefined }> {
    const upload = new Upload({
      client: this.client,
      params: { ...input, Body: createReadStream(path, { highWaterMark: 1_048_576 }) },
      partSize: this.limits.partBytes,
      queueSize: 2,
    });
    const abort = () => void upload.abort();
    signal?.addEventListener('abort', abort);
    try {
      return await upload.done();
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  private async attempt<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.failure(key, error);
    }
  }

  private failure(key: string, error: unknown): Error {
    if (isChanged(error)) return new ObjectChanged(key);
    // Whoever stopped it knows why.
    if ((error as Error).name === 'AbortError') return error as Error;
    return s3Failure({ bucket: this.bucket, key }, error);
  }
}

function encryptionOf(encryption: Encryption | undefined): Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId'> {
  if (encryption === undefined) return {};
  if (encryption.kind === 'aes256') return { ServerSideEncryption: 'AES256' };
  return { ServerSideEncryption: 'aws:kms', ...(encryption.key === undefined ? {} : { SSEKMSKeyId: encryption.key }) };
}

function stoppedBy(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
