import { randomBytes, randomUUID } from 'node:crypto';
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCluster } from '../../scripts/cluster/cluster.ts';

const { endpoint, region, accessKeyId, secretAccessKey } = (await readCluster()).s3;
const open = (credentials: NonNullable<S3ClientConfig['credentials']>) => new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 });

const client = open({ accessKeyId, secretAccessKey });
const Bucket = `test-${randomUUID()}`;

beforeAll(() => client.send(new CreateBucketCommand({ Bucket })));
afterAll(() => client.destroy());

describe('S3', () => {
  it('gives back what was put there', async () => {
    const Body = randomBytes(100_000);
    await client.send(new PutObjectCommand({ Bucket, Key: 'a/b', Body }));
    const { Body: found } = await client.send(new GetObjectCommand({ Bucket, Key: 'a/b' }));
    expect(Buffer.from((await found?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
  });

  it('takes an object in parts', async () => {
    const Body = randomBytes(12_000_000);
    await new Upload({ client, params: { Bucket, Key: 'large', Body }, partSize: 5 << 20 }).done();
    expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'large' }))).ContentLength).toBe(Body.length);
  });

  it('lets one of twenty make an object that must not be there yet', async () => {
    const puts = Array.from({ length: 20 }, (_, number) =>
      client.send(new PutObjectCommand({ Bucket, Key: 'once', Body: String(number), IfNoneMatch: '*' })).then(
        () => 'made',
        (error: Error) => error.name,
      ),
    );
    const outcomes = await Promise.all(puts);
    expect(outcomes.filter((outcome) => outcome === 'made')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['made', 'PreconditionFailed']));
  });

  it('encrypts what it is asked to', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'secret', Body: 'x', ServerSideEncryption: 'AES256' }));
    expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'secret' }))).ServerSideEncryption).toBe('AES256');
  });

  it.each([
    ['a wrong secret', { accessKeyId, secretAccessKey: 'wrong' }, 'SignatureDoesNotMatch'],
    ['an unknown key', { accessKeyId: 'nobody', secretAccessKey }, 'InvalidAccessKeyId'],
  ])('refuses %s', async (_name, credentials, name) => {
    const stranger = open(credentials);
    await expect(stranger.send(new PutObjectCommand({ Bucket, Key: 'c', Body: 'x' }))).rejects.toMatchObject({ name });
    stranger.destroy();
  });
});
