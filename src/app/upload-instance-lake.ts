import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseObjectUrl } from '../domain/object-location.ts';
import { type LakeUpload, type UploadOptions, uploadLake } from '../lake/upload-lake.ts';
import type { Instance } from './instance.ts';
import { ObjectStores } from './object-stores.ts';

/** Puts what the last export wrote where the settings want it as well; undefined where they do not. */
export async function uploadInstanceLake({ settings, directory }: Instance, options: UploadOptions): Promise<LakeUpload | undefined> {
  const { location, encryption, kms_key } = settings.lake;
  if (location === undefined) return undefined;
  const { bucket, key } = parseObjectUrl(location);
  const stores = new ObjectStores(settings.s3);
  try {
    const remote = {
      store: await stores.bucket(bucket),
      prefix: key === '' || key.endsWith('/') ? key : `${key}/`,
      encryption: encryption === 'kms' ? { kind: encryption, key: kms_key } : encryption && { kind: encryption },
      writer: await writerOf(directory.lake),
    };
    return await uploadLake(directory.lake, remote, options);
  } finally {
    await stores.close();
  }
}

/** A name that no other data directory has: two of them must not write one lake. */
async function writerOf(lake: string): Promise<string> {
  const path = join(lake, '_writer');
  const writer = randomUUID();
  try {
    await writeFile(path, writer, { flag: 'wx' });
    return writer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readFile(path, 'utf8');
  }
}
