import { AdvertiseXError } from './errors.ts';

/** Where an object is or, with the beginning of a key, where several are. */
export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
}

/** Keys are any characters: what stands behind the bucket is taken as it is written, without percent encoding. */
export const OBJECT_URL = /^s3:\/\/([A-Za-z0-9][\w.-]{1,254})(?:\/(.*))?$/s;

export function isObjectUrl(path: string): boolean {
  return path.startsWith('s3://');
}

export function parseObjectUrl(url: string): ObjectLocation {
  const [, bucket, key = ''] = OBJECT_URL.exec(url) ?? [];
  if (bucket === undefined)
    throw new AdvertiseXError('usage', `${url} names no bucket`, 'Write it like s3://bucket/logs/2026-03-01, without credentials in it.');
  return { bucket, key };
}

export function objectUrl({ bucket, key }: ObjectLocation): string {
  return `s3://${bucket}/${key}`;
}
