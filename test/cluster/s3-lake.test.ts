import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { S3Access } from '../../scripts/cluster/s3.ts';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import { exportInstanceLake } from '../../src/app/write-lake.ts';
import { exportLake } from '../../src/lake/export-lake.ts';
import { parseManifest } from '../../src/lake/lake-manifest.ts';
import type { RemoteLake } from '../../src/lake/remote-lake.ts';
import { type UploadOptions, uploadLake } from '../../src/lake/upload-lake.ts';
import { S3, type S3Limits } from '../../src/object-store/s3/s3-bucket.ts';
import { readLake, tablesAsOf } from '../faults/lake/read-lake.ts';
import { type RowsLakeSource, twoBatches } from '../faults/lake/rows-lake-source.ts';
import { withInstance } from '../faults/open-instance.ts';
import { callsFor, makeSmallDay } from '../faults/small-day.ts';
import { credentialsOf, type TestBucket, testBucket } from './s3-bucket.ts';
import { type S3Proxy, s3Proxy } from './s3-proxy.ts';
import { s3Server } from './s3-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-s3-lake-'));
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
let local: string;
let source: RowsLakeSource;
let number = 0;
const opened: S3[] = [];
beforeEach(async () => {
  for (const [name, value] of Object.entries(credentialsOf(server))) vi.stubEnv(name, value);
  bucket = await testBucket(server);
  local = join(folder, `lake-${++number}`);
  source = twoBatches();
  proxy.fault = () => undefined;
  proxy.requests.length = 0;
});
afterEach(() => {
  for (const s3 of opened.splice(0)) s3.close();
  bucket.close();
  vi.unstubAllEnvs();
});

function remote(more: Partial<RemoteLake> = {}, limits: Partial<S3Limits> = {}): RemoteLake {
  const s3 = new S3({ endpoint: proxy.endpoint, region: server.region }, limits);
  opened.push(s3);
  return { store: s3.bucket(bucket.name), prefix: 'my/lake/', writer: 'one', ...more };
}

async function upload(batch: number, options: UploadOptions = {}, lake: RemoteLake = remote()) {
  source.batch = batch;
  await exportLake(source, local);
  return uploadLake(local, lake, options);
}

/** What engines find that read the bucket. */
async function readRemote() {
  const copy = join(folder, `copy-${++number}`);
  for (const key of await bucket.keys()) {
    const path = join(copy, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await bucket.get(key));
  }
  return readLake(join(copy, 'my/lake'), source.tables);
}

const manifest = async () => parseManifest(String(await bucket.get('my/lake/_manifest.json')));
/** What changed something, as `PUT silver.clicks/…`. */
const changes = () => {
  const writing = proxy.requests.filter(({ method }) => method === 'PUT' || method === 'DELETE');
  return writing.map(({ method, url }) => `${method} ${decodeURIComponent(new URL(url, 'http://x').pathname).replace(/^.*\/my\/lake\//, '')}`);
};

describe('the lake in a bucket', () => {
  it('is that of this machine, and is put there file by file as it changes', async () => {
    expect(await upload(1)).toMatchObject({ location: `s3://${bucket.name}/my/lake/`, uploaded: 5, removed: 0 });
    expect(await readRemote()).toEqual(tablesAsOf(source, 1));
    proxy.requests.length = 0;
    expect(await upload(1)).toMatchObject({ uploaded: 0, removed: 0, bytes: 0 });
    expect(changes()).toEqual([]);
    expect(await upload(2)).toMatchObject({ uploaded: 4, removed: 1 });
    expect(await readRemote()).toEqual(tablesAsOf(source, 2));
    const [first, ...rest] = changes();
    expect(first).toBe('PUT _manifest.json');
    expect(rest.slice(0, 4).toSorted()).toEqual([
      'PUT ref.campaigns/part-0.parquet',
      ...[2, 3, 5].map((day) => `PUT silver.clicks/dt=2026-01-0${day}/part-0.parquet`),
    ]);
    expect(rest.slice(4)).toEqual(['PUT _manifest.json', 'DELETE silver.clicks/dt=2026-01-04/part-0.parquet']);
    const said = await manifest();
    expect(said?.writing).toBeUndefined();
    expect(said?.tables.map(({ batch }) => batch)).toEqual([2, 2]);
    expect(said?.tables.flatMap(({ files }) => files).every(({ etag }) => etag !== undefined)).toBe(true);
  });

  it('is whole, day by day, wherever an upload ends, and the next one sends the rest alone', async () => {
    const old = tablesAsOf(source, 1);
    const current = tablesAsOf(source, 2);
    const withGone = { ...current, 'silver.clicks': { ...old['silver.clicks'], ...current['silver.clicks'] } };
    let mixed = 0;
    let ends = 0;
    let sent = 0;
    for (let goodRequests = 0; ; goodRequests++) {
      source = twoBatches();
      local = join(folder, `cut-${goodRequests}`);
      const lake = { ...remote({}, { attempts: 1, idleMs: 2_000 }), prefix: `my/lake/` };
      for (const key of await bucket.keys()) await bucket.remove(key);
      proxy.fault = () => undefined;
      await upload(1, {}, lake);
      proxy.requests.length = 0;
      let requests = 0;
      const passed = new Set<string>();
      proxy.fault = ({ method, url }) => {
        if (requests++ >= goodRequests) return 'hang_up';
        if (method === 'PUT') passed.add(url);
        return undefined;
      };
      const ended = await upload(2, {}, lake).then(
        () => 'done',
        ({ code }) => code,
      );
      proxy.fault = () => undefined;
      const left = await readRemote();
      for (const [table, slices] of Object.entries({ ...old, ...current })) {
        for (const slice of Object.keys({ ...slices, ...old[table], ...current[table] }))
          expect([old[table]?.[slice], current[table]?.[slice]], `${table} ${slice} after ${goodRequests}`).toContainEqual(left[table]?.[slice]);
      }
      if (JSON.stringify(left) !== JSON.stringify(old) && JSON.stringify(left) !== JSON.stringify(current)) {
        mixed++;
        // What goes, goes last: then the manifest does not name it any more.
        if ((await manifest())?.writing === undefined) expect(left).toEqual(withGone);
      }
      if (ended === 'done') break;
      expect(ended).toBe('lake_failed');
      ends++;
      proxy.requests.length = 0;
      await upload(2, {}, remote());
      expect(await readRemote()).toEqual(current);
      expect((await manifest())?.writing).toBeUndefined();
      const again = proxy.requests.filter(({ method, url }) => method === 'PUT' && url.includes('.parquet') && passed.has(url));
      expect(again).toEqual([]);
      sent += [...passed].filter((url) => url.includes('.parquet')).length;
    }
    expect(ends).toBeGreaterThan(8);
    expect(sent).toBeGreaterThan(8);
    expect(mixed).toBeGreaterThan(1);
  });

  it('is not confused by answers that are lost', async () => {
    await upload(1);
    const lost = new Set<string>();
    proxy.fault = ({ method, url }) => {
      const key = `${method} ${url}`;
      if (method !== 'PUT' || lost.has(key)) return undefined;
      lost.add(key);
      return 'lose';
    };
    await upload(2);
    expect(lost.size).toBe(5);
    expect(await readRemote()).toEqual(tablesAsOf(source, 2));
  });

  it('has one writer at a time: of two that begin together one fails, whoever it is', async () => {
    source.batch = 1;
    await exportLake(source, local);
    const settled = await Promise.allSettled([uploadLake(local, remote()), uploadLake(local, remote({ writer: 'two' }))]);
    expect(settled.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect(settled.find((each) => each.status === 'rejected')?.reason).toMatchObject({
      code: 'lake_failed',
      message: expect.stringContaining('at the same time'),
    });
    expect(await readRemote()).toEqual(tablesAsOf(source, 1));
  });

  it('has one writer at a time: one that was overtaken while it was at work says nothing of its own', async () => {
    await upload(1);
    source.batch = 2;
    await exportLake(source, local);
    let overtaken: Promise<unknown> | undefined;
    proxy.fault = async ({ method, url }) => {
      if (method !== 'PUT' || !url.includes('campaigns') || overtaken !== undefined) return undefined;
      overtaken = uploadLake(local, remote({ writer: 'two' }), { everything: true, takeOver: true });
      await overtaken;
      return undefined;
    };
    await expect(uploadLake(local, remote())).rejects.toMatchObject({ code: 'lake_failed' });
    expect(await readRemote()).toEqual(tablesAsOf(source, 2));
    expect(await manifest()).toMatchObject({ writer: 'two' });
    expect((await manifest())?.writing).toBeUndefined();
  });

  it('is that of one data directory: another one, or an older copy, has to be told that it is its own from now on', async () => {
    const copy = join(folder, 'older copy');
    await upload(1);
    cpSync(local, copy, { recursive: true });
    await upload(2);
    await expect(uploadLake(copy, remote())).rejects.toMatchObject({
      code: 'lake_failed',
      message: expect.stringMatching(/batch 2.*at batch 1: .*older copy/),
    });
    source.origin = 'another';
    local = join(folder, 'another');
    await expect(upload(1, {}, remote({ writer: 'two' }))).rejects.toMatchObject({ code: 'lake_failed', remedy: expect.stringContaining('--take-over') });
    expect((await manifest())?.tables.map(({ batch }) => batch)).toEqual([2, 2]);
    await upload(1, { takeOver: true }, remote({ writer: 'two' }));
    expect(await readRemote()).toEqual(tablesAsOf(source, 1));
    // Tables that were made anew in the same data directory are its own.
    source.origin = 'rebuilt';
    await upload(1, {}, remote({ writer: 'two' }));
    expect((await manifest())?.origin).toBe('rebuilt');
  });

  it('is mended where somebody changed it, and swept of what engines would trip over', async () => {
    await upload(1);
    await bucket.put('my/lake/silver.clicks/dt=2026-01-01/part-0.parquet', 'overwritten');
    await bucket.remove('my/lake/silver.clicks/dt=2026-01-02/part-0.parquet');
    await bucket.put('my/lake/silver.clicks/stray.parquet', 'x');
    await bucket.put('my/lake/notes.txt', 'x');
    expect(await upload(1)).toMatchObject({ uploaded: 2, removed: 0 });
    expect(await upload(1, { sweep: true })).toMatchObject({ removed: 1 });
    expect(await readRemote()).toEqual(tablesAsOf(source, 1));
    expect(await bucket.keys()).toContain('my/lake/notes.txt');
  });

  it('asks the store to encrypt what it is told to, in one piece and in parts', async () => {
    const asked = () => proxy.requests.filter(({ method, headers }) => method !== 'GET' && headers['x-amz-server-side-encryption'] !== undefined);
    // Whether the store of the test can, is not asked.
    await upload(1, {}, remote({ encryption: { kind: 'aes256' } })).catch(() => undefined);
    expect(asked().map(({ headers }) => headers['x-amz-server-side-encryption'])).toContain('AES256');
    proxy.requests.length = 0;
    const path = join(folder, 'large');
    writeFileSync(path, Buffer.alloc(12_000_000, 'x'));
    const { store } = remote({}, { partBytes: 5_242_880 });
    await store.put('large', { path, bytes: 12_000_000 }, { replaces: 'absent', encryption: { kind: 'kms', key: 'a-key' } }).catch(() => undefined);
    expect(asked()[0]).toMatchObject({
      method: 'POST',
      headers: { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': 'a-key' },
    });
  });
});

describe('a large file', () => {
  const path = join(folder, 'parts');
  const key = 'a/large file';
  beforeAll(() => writeFileSync(path, Buffer.from(Array.from({ length: 12_000_000 / 8 }, (_, index) => String(index).padStart(8, '0')).join(''))));
  const put = (limits: Partial<S3Limits> = {}) =>
    remote({}, { partBytes: 5_242_880, ...limits }).store.put(key, { path, bytes: 12_000_000 }, { replaces: 'absent', metadata: { content: 'c' } });

  it('is put in parts, each tried again by itself, and is there whole or not at all', async () => {
    proxy.fault = ({ url }) => (url.includes('partNumber=2') ? { cut_after: 0 } : undefined);
    await expect(put({ attempts: 2 })).rejects.toMatchObject({ code: 'object_store_failed' });
    expect(await bucket.keys()).toEqual([]);
    let failures = 0;
    proxy.fault = ({ url }) => (url.includes('partNumber') && failures++ < 3 ? 'slow_down' : undefined);
    await put();
    expect(failures).toBeGreaterThan(5);
    expect((await bucket.get(key)).equals(readFileSync(path))).toBe(true);
    await expect(put()).rejects.toMatchObject({ name: 'ObjectChanged' });
  });
});

it('an export of an instance puts its lake where the settings want it', async () => {
  const traffic = await makeSmallDay(join(folder, 'traffic'));
  const settings = { s3: { endpoint: proxy.endpoint, region: server.region }, lake: { location: `s3://${bucket.name}/small` } };
  await withInstance(join(folder, 'data'), { settings }, async (instance) => {
    for (const requests of callsFor(traffic)) await ingestFiles(instance, requests);
    const { upload: first } = await exportInstanceLake(instance);
    expect(first?.uploaded).toBeGreaterThan(15);
    const files = readdirSync(instance.directory.lake, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.parquet'));
    expect((await bucket.keys()).filter((name) => name.endsWith('.parquet'))).toEqual(files.map((name) => `small/${name}`).toSorted());
    for (const name of files) expect((await bucket.get(`small/${name}`)).equals(readFileSync(join(instance.directory.lake, name)))).toBe(true);
    expect((await exportInstanceLake(instance)).upload).toMatchObject({ uploaded: 0, removed: 0 });
    // Once more after a restart.
  });
  await withInstance(join(folder, 'data'), { settings }, async (instance) => {
    expect((await exportInstanceLake(instance, { everything: true })).upload?.uploaded).toBeGreaterThan(15);
  });
});
