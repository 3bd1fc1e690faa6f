import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { bringUp, readCluster, requireRunning, restartService, startService, stopService } from '../../scripts/cluster/cluster.ts';
import { cluster, PLAIN } from './kafka-settings.ts';
import { consumeTexts, makeTopic, produceTexts } from './kafka-topic.ts';

it('Kafka that is killed has its records when it is started again, at the same address', async () => {
  const topic = await makeTopic(PLAIN);
  await produceTexts(PLAIN, topic, ['before']);
  await stopService('kafka', 'SIGKILL');
  await expect(produceTexts({ ...PLAIN }, topic, ['meanwhile'])).rejects.toThrow();
  await startService('kafka');
  await produceTexts(PLAIN, topic, ['after']);
  expect(await consumeTexts(PLAIN, topic, 2)).toEqual(['before', 'after']);
});

it('the registry that is killed has its schemas', async () => {
  const subject = `${cluster.registry.url}/subjects/${randomUUID()}-value/versions`;
  const body = JSON.stringify({ schema: JSON.stringify({ type: 'record', name: 'Kept', fields: [] }) });
  const { id } = (await (await fetch(subject, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })).json()) as { id: number };
  await restartService('registry', 'SIGKILL');
  expect((await fetch(`${cluster.registry.url}/schemas/ids/${id}`)).status).toBe(200);
});

it('the S3 server that is killed has its objects', async () => {
  const { endpoint, region, ...credentials } = cluster.s3;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const Bucket = `test-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  await client.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'kept' }));
  await restartService('s3', 'SIGKILL');
  expect(await (await client.send(new GetObjectCommand({ Bucket, Key: 'kept' }))).Body?.transformToString()).toBe('kept');
  client.destroy();
});

it('a service that ends by itself is told by name, and started again by the next cluster:up', async () => {
  await requireRunning();
  process.kill((await readCluster()).services.s3.process?.pid ?? 0, 'SIGKILL');
  await expect
    .poll(() =>
      requireRunning().then(
        () => 'running',
        (error: Error) => error.message,
      ),
    )
    .toMatch(/^s3 ended by itself/);
  expect(await bringUp()).toEqual(['s3']);
  await requireRunning();
  expect(await bringUp()).toEqual([]);
});
