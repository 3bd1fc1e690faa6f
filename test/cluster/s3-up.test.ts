import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { S3Access } from '../../scripts/cluster/s3.ts';
import { parseManifest } from '../../src/lake/lake-manifest.ts';
import { run } from '../faults/command-line.ts';
import { eventually } from '../live/open-small-live.ts';
import { startUp, stopUp } from '../live/running-up.ts';
import { numbered } from '../live/take-until-killed.ts';
import { credentialsOf, type TestBucket, testBucket } from './s3-bucket.ts';
import { type S3Proxy, s3Proxy } from './s3-proxy.ts';
import { s3Server } from './s3-server.ts';

/** The program itself, with its settings in a file and credentials in its environment. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-s3-up-'));
let server: S3Access;
let proxy: S3Proxy;
beforeAll(async () => {
  server = await s3Server();
  proxy = await s3Proxy(server.endpoint);
}, 600_000);
afterAll(async () => {
  await proxy.stop();
  rmSync(folder, { recursive: true });
});

let bucket: TestBucket;
let data: string;
let config: string;
let number = 0;
beforeEach(async () => {
  bucket = await testBucket(server);
  data = join(folder, `data-${++number}`);
  config = join(folder, `${number}.yaml`);
  writeFileSync(
    config,
    `s3:\n  endpoint: ${proxy.endpoint}\n  region: ${server.region}\nlake:\n  location: s3://${bucket.name}/lake\nsources:\n  buckets:\n    - feed: ad-impressions\n      bucket: ${bucket.name}\n      prefix: in\n      every_seconds: 1\n`,
  );
  proxy.fault = () => undefined;
});
afterEach(() => bucket.close());

const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => numbered(from + index)).join('');
const command = (...words: string[]) => run([...words, '--data', data, '--config', config], credentialsOf(server));
const impressions = async () => {
  const { stdout } = await command('query', 'select count(*) as n from silver.impressions', '--format', 'json');
  return Number(JSON.parse(stdout)[0].n);
};
const lakeRows = async () => {
  const manifest = parseManifest(String(await bucket.get('lake/_manifest.json')));
  return manifest?.tables.find(({ name }) => name === 'silver.impressions')?.files.reduce((sum, { rows }) => sum + rows, 0);
};

it('takes buckets that it watches, and what commands ask of it, puts the lake there, and says no secret', async () => {
  await bucket.put('in/a.jsonl', lines(0, 9));
  await bucket.put('more/b.jsonl', lines(10, 19));
  await bucket.put('backlog/c.jsonl', lines(20, 29));
  const up = await startUp(data, credentialsOf(server), ['--config', config, '--watch', `ad-impressions=s3://${bucket.name}/more`]);
  await eventually(async () => (await impressions()) === 18, 60_000);
  const taken = await command('ingest', 'ad-impressions', `s3://${bucket.name}/backlog`, '--format', 'json');
  expect(JSON.parse(taken.stdout).files).toMatchObject([{ path: `s3://${bucket.name}/backlog/c.jsonl`, state: 'taken' }]);
  expect(await impressions()).toBe(27);
  const exported = await command('lake', 'export', '--format', 'json');
  expect(JSON.parse(exported.stdout).upload.uploaded).toBeGreaterThan(0);
  expect(await lakeRows()).toBe(27);
  const status = await command('status', '--format', 'json');
  expect(JSON.parse(status.stdout).sources).toMatchObject([
    {},
    { name: `s3://${bucket.name}/in`, takenFiles: 1 },
    { name: `s3://${bucket.name}/more`, takenFiles: 1 },
    {},
  ]);
  await bucket.put('in/d.jsonl', lines(30, 39));
  await eventually(async () => (await impressions()) === 36, 60_000);
  // What is taken while it is stopped goes to the lake as it ends.
  await stopUp(up);
  expect(await lakeRows()).toBe(36);
  const said = [taken, exported, status, await up.ended].map(({ stdout, stderr }) => stdout + stderr).join('');
  expect(said).not.toContain(server.secretAccessKey);
  expect(said).not.toContain(server.accessKeyId);
  expect(readFileSync(join(data, 'owner.json'), { encoding: 'utf8', flag: 'a+' })).not.toContain(server.secretAccessKey);
  expect((await command('recon')).status).toBe(0);
}, 240_000);

it('goes on where it was killed, in the middle of an object and in the middle of the lake', async () => {
  await bucket.put('in/large.jsonl', lines(0, 60_000));
  let reads = 0;
  proxy.fault = ({ method, url }) => (method === 'GET' && url.includes('large') && ++reads === 1 ? { stall_after: 1_000_000 } : undefined);
  const first = await startUp(data, credentialsOf(server), ['--config', config]);
  await eventually(() => reads === 1, 60_000);
  first.child.kill('SIGKILL');
  await first.ended;
  proxy.fault = () => undefined;
  const second = await startUp(data, credentialsOf(server), ['--config', config]);
  await eventually(async () => (await impressions()) === 54_000, 120_000);
  let puts = 0;
  proxy.fault = ({ method }) => (method === 'PUT' && ++puts > 2 ? 'hang' : undefined);
  second.child.kill('SIGTERM');
  await eventually(() => puts > 2, 60_000);
  second.child.kill('SIGKILL');
  await second.ended;
  expect(parseManifest(String(await bucket.get('lake/_manifest.json')))?.writing).toBeDefined();
  proxy.fault = () => undefined;
  expect(await command('lake', 'export')).toMatchObject({ status: 0 });
  expect(await lakeRows()).toBe(54_000);
  expect((await command('recon')).status).toBe(0);
}, 300_000);
