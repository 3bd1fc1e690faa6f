import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { S3Access } from '../../scripts/cluster/s3.ts';
import type { Instance } from '../../src/app/instance.ts';
import type { WatchedBucket } from '../../src/app/live/bucket-folder.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { eventually } from '../live/open-small-live.ts';
import { openSmallSources } from '../live/open-small-sources.ts';
import { numbered } from '../live/take-until-killed.ts';
import { credentialsOf, type TestBucket, testBucket } from './s3-bucket.ts';
import { type S3Proxy, s3Proxy } from './s3-proxy.ts';
import { s3Server } from './s3-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-s3-watched-'));
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
let number = 0;
beforeEach(async () => {
  for (const [name, value] of Object.entries(credentialsOf(server))) vi.stubEnv(name, value);
  bucket = await testBucket(server);
  data = join(folder, String(++number));
  proxy.fault = () => undefined;
  proxy.requests.length = 0;
});
afterEach(() => {
  bucket.close();
  vi.unstubAllEnvs();
});

const settings = () => ({ s3: { endpoint: proxy.endpoint, region: server.region } });
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => numbered(from + index)).join('');
const open = (instance: Instance, more: Partial<WatchedBucket> = {}) =>
  openSmallSources(instance, [], undefined, {}, { buckets: [{ feed: 'ad-impressions', bucket: bucket.name, prefix: 'in', everySeconds: 1, ...more }] });
const count = async (instance: Instance, what = 'silver.impressions') =>
  Number((await instance.batches.alone(() => instance.engine.rows(`select count(*) as n from ${what}`)))[0]?.['n']);
/** Every tenth is refused. */
const accepted = (records: number) => records - Math.floor(records / 10);
const gets = () => proxy.requests.filter(({ method, url }) => method === 'GET' && !url.includes('list-type')).length;

it('takes what is in a bucket and what comes, each version once, also after a restart', async () => {
  for (let file = 0; file < 12; file++) await bucket.put(`in/${file}.jsonl`, lines(10 * file, 10 * file + 10));
  await bucket.put('in/_part', lines(900, 910));
  await bucket.put('elsewhere.jsonl', lines(900, 910));
  await withInstance(data, { settings: settings() }, async (instance) => {
    const { stop, of, told } = await open(instance);
    await eventually(async () => (await count(instance)) === accepted(120));
    await bucket.put('in/more/day.jsonl', lines(120, 130));
    await bucket.put('in/again.jsonl', lines(0, 10));
    await bucket.put('in/3.jsonl', lines(30, 50));
    await eventually(async () => (await count(instance)) === accepted(130));
    await eventually(() => of('/in').state === 'idle' && of('/in').takenFiles === 14);
    await eventually(() => told.length > 0);
    expect(told).toMatchObject([{ source: `s3://${bucket.name}/in`, message: expect.stringMatching(/3\.jsonl has changed since it was taken/) }]);
    await stop();
    expect(await brokenEquations(instance)).toEqual([]);
  });
  const read = gets();
  await withInstance(data, { settings: settings() }, async (instance) => {
    const { stop, of } = await open(instance);
    await bucket.put('in/last.jsonl', lines(130, 140));
    await eventually(async () => (await count(instance)) === accepted(140));
    await eventually(() => of('/in').state === 'idle');
    await stop();
    // The one that has the content of another was not taken, so that its version is not in the books.
    expect(gets() - read).toBe(2);
  });
});

it('takes what matches its pattern', async () => {
  for (const name of ['a.csv', 'b.jsonl', 'sub/c.jsonl']) await bucket.put(`in/${name}`, lines(0, 9));
  await withInstance(data, { settings: settings() }, async (instance) => {
    const { stop, of } = await open(instance, { pattern: '**/c.*' });
    await eventually(() => of('(**/c.*)').takenFiles === 1);
    await stop();
    expect(await count(instance, 'ops.files')).toBe(1);
  });
});

it('passes over an object that is not there any more, and waits for a store that is away', async () => {
  await bucket.put('in/a.jsonl', lines(0, 9));
  let isAway = true;
  proxy.fault = () => (isAway ? { cut_after: 0 } : undefined);
  await withInstance(data, { settings: settings() }, async (instance) => {
    const { stop, of, told } = await open(instance);
    await eventually(() => of('/in').state === 'failing', 90_000);
    expect(of('/in').trouble).toMatch(/the object store does not answer/);
    expect(told).toMatchObject([{ level: 'warning', message: expect.stringMatching(/looked for again and again/) }]);
    isAway = false;
    await eventually(() => of('/in').takenFiles === 1, 60_000);
    expect(of('/in').trouble).toBe('');
    let isGone = false;
    proxy.fault = async ({ method, url }) => {
      if (method === 'GET' && url.includes('/gone.jsonl') && !isGone) {
        isGone = true;
        await bucket.remove('in/gone.jsonl');
      }
      return undefined;
    };
    await bucket.put('in/gone.jsonl', lines(20, 29));
    await bucket.put('in/here.jsonl', lines(10, 19));
    await eventually(() => of('/in').takenFiles === 2);
    expect(isGone).toBe(true);
    expect(await count(instance)).toBe(18);
    await stop();
  });
}, 180_000);
