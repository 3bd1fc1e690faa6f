import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { S3Access } from '../../scripts/cluster/s3.ts';
import { ingestFiles, ingestSources } from '../../src/app/ingest-files.ts';
import type { Instance } from '../../src/app/instance.ts';
import { SourceFiles } from '../../src/app/source-files.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { callsFor, makeSmallDay } from '../faults/small-day.ts';
import { figures } from '../live/small-day-figures.ts';
import { numbered } from '../live/take-until-killed.ts';
import { credentialsOf, type TestBucket, testBucket } from './s3-bucket.ts';
import { type S3Proxy, s3Proxy } from './s3-proxy.ts';
import { s3Server } from './s3-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-s3-ingest-'));
let server: S3Access;
let proxy: S3Proxy;
let bucket: TestBucket;
beforeAll(async () => {
  server = await s3Server();
  proxy = await s3Proxy(server.endpoint);
}, 600_000);
afterAll(async () => {
  await proxy.stop();
  rmSync(folder, { recursive: true });
});

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
const ingest = (instance: Instance, ...keys: string[]) =>
  ingestFiles(instance, [{ feed: 'ad-impressions', paths: keys.map((key) => `s3://${bucket.name}/${key}`) }]);
const count = async (instance: Instance, what = 'silver.impressions') => Number((await instance.engine.rows(`select count(*) as n from ${what}`))[0]?.['n']);
/** Every tenth is refused. */
const accepted = (records: number) => records - Math.floor(records / 10);
const gets = () => proxy.requests.filter(({ method, url }) => method === 'GET' && !url.includes('list-type'));

describe('objects of a bucket', () => {
  it('give the tables that the same files give, in every encoding and compression', async () => {
    const traffic = await makeSmallDay(join(folder, 'traffic'));
    const calls = callsFor(traffic);
    const expected = await withInstance(join(folder, 'files'), {}, async (instance) => {
      for (const requests of calls) await ingestFiles(instance, requests);
      return figures(instance);
    });
    const squeezed = [
      ['', (bytes: Buffer) => bytes],
      ['.gz', gzipSync],
      ['.zst', zstdCompressSync],
    ] as const;
    let files = 0;
    const put = async (path: string) => {
      const [suffix, squeeze] = squeezed[files++ % squeezed.length] ?? squeezed[0];
      const key = `in/${relative(traffic, path)}${suffix}`;
      await bucket.put(key, squeeze(readFileSync(path)));
      return `s3://${bucket.name}/${key}`;
    };
    await withInstance(data, { settings: settings() }, async (instance) => {
      for (const requests of calls) {
        const remote = [];
        for (const request of requests) remote.push({ ...request, paths: await Promise.all(request.paths.map(put)) });
        await ingestFiles(instance, remote);
      }
      expect(await figures(instance)).toEqual(expected);
      expect(await brokenEquations(instance)).toEqual([]);
      expect(readdirSync(instance.directory.staging)).toEqual([]);
    });
  });

  it('are taken once: what has the version that was taken is not read again, nor is the same content elsewhere taken', async () => {
    await bucket.put('a.jsonl', lines(0, 20));
    await bucket.put('b.jsonl', lines(20, 40));
    await withInstance(data, { settings: settings() }, async (instance) => {
      expect((await ingest(instance, '')).outcomes.received).toBe(40);
      expect(gets().length).toBe(2);
      expect((await ingest(instance, '')).files.map(({ state }) => state)).toEqual(['known', 'known']);
      expect(gets().length).toBe(2);
      await bucket.put('c/again.jsonl', lines(0, 20));
      await bucket.put('b.jsonl', lines(20, 50));
      const { files, outcomes } = await ingest(instance, '');
      expect(files.map(({ path, state }) => [path.slice(path.lastIndexOf('/') + 1), state])).toEqual([
        ['b.jsonl', 'taken'],
        ['a.jsonl', 'known'],
        ['again.jsonl', 'known'],
      ]);
      expect(outcomes).toMatchObject({ received: 30, duplicate: 18 });
      expect(gets().length).toBe(4);
      expect(await count(instance)).toBe(accepted(50));
    });
  });

  it('of which a batch was taken are read on from there after a restart', async () => {
    await bucket.put('a.jsonl', lines(0, 50));
    await withInstance(data, { settings: settings(), batchRecords: 10 }, async (instance) => {
      let failing = false;
      instance.batches.onCommitted(() => {
        failing = true;
      });
      const sources = await SourceFiles.open([{ feed: 'ad-impressions', paths: [`s3://${bucket.name}/a.jsonl`] }], 1, instance.settings.s3);
      const stop = new AbortController();
      const ingesting = ingestSources(instance, sources, () => failing && stop.abort(), { signal: stop.signal, batchRecords: 10 });
      await expect(ingesting).rejects.toMatchObject({ code: 'interrupted' });
      const taken = await count(instance);
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(45);
    });
    await withInstance(data, { settings: settings() }, async (instance) => {
      await ingest(instance, 'a.jsonl');
      expect(await count(instance)).toBe(45);
      expect(await count(instance, 'ops.ledger where duplicate > 0')).toBe(0);
    });
  });

  it('whose records conflict are read once more for the bytes of those', async () => {
    await bucket.put('a.jsonl', lines(0, 20));
    await bucket.put('b.jsonl', lines(0, 20).replaceAll('"website":"', '"website":"other-'));
    await withInstance(data, { settings: settings() }, async (instance) => {
      await ingest(instance, 'a.jsonl');
      const { outcomes } = await ingest(instance, 'b.jsonl');
      const conflicts = await instance.engine.rows("select count(*) as n from ops.quarantine where code = 'id_conflict' and octet_length(raw) > 20");
      expect(Number(conflicts[0]?.['n'])).toBe(outcomes.quarantined - 2);
      expect(readdirSync(instance.directory.staging)).toEqual([]);
    });
  });
});

describe('a connection', () => {
  it('that is cut again and again is taken up where it ended, of the same version', async () => {
    const content = lines(0, 3_000);
    await bucket.put('a.jsonl', content);
    let cuts = 0;
    proxy.fault = ({ method }) => (method === 'GET' && cuts++ < 12 ? { cut_after: 20_000 } : undefined);
    await withInstance(data, { settings: settings() }, async (instance) => {
      expect((await ingest(instance, 'a.jsonl')).files[0]).toMatchObject({ complete: true, done: true });
      expect(await count(instance)).toBe(2_700);
    });
    const [first, ...more] = gets();
    expect(first?.headers.range).toBeUndefined();
    expect(more.length).toBeGreaterThan(5);
    const places = more.map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1]));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(new Set(gets().map(({ headers }) => headers['if-match'])).size).toBe(1);
  });

  it('of an object that is replaced meanwhile is noticed, and nothing of a mixture is taken', async () => {
    const content = lines(1_000, 2_000);
    await bucket.put('a.jsonl', content);
    let reads = 0;
    proxy.fault = async ({ method }) => {
      if (method !== 'GET') return undefined;
      // As long as it was.
      if (++reads === 2) await bucket.put('a.jsonl', content.replaceAll('w.example', 'x.example'));
      return reads === 1 ? { cut_after: 10_000 } : undefined;
    };
    await withInstance(data, { settings: settings() }, async (instance) => {
      await expect(ingest(instance, 'a.jsonl')).rejects.toMatchObject({
        code: 'source_changed',
        message: expect.stringContaining('/a.jsonl changed while it was read'),
      });
      expect(await count(instance)).toBe(0);
      expect((await ingest(instance, 'a.jsonl')).outcomes.received).toBe(1_000);
    });
  });

  it('that the store slows down is waited for, in listings and in objects', async () => {
    for (let file = 0; file < 5; file++) await bucket.put(`${file}.jsonl`, lines(10 * file, 10 * file + 10));
    const refused = new Map<string, number>();
    proxy.fault = ({ url }) => {
      const times = (refused.get(url) ?? 0) + 1;
      refused.set(url, times);
      return times <= 2 ? 'slow_down' : undefined;
    };
    await withInstance(data, { settings: settings() }, async (instance) => {
      expect((await ingest(instance, '')).outcomes.received).toBe(50);
    });
    expect([...refused.values()].every((times) => times === 3)).toBe(true);
    expect(refused.size).toBe(6);
  });

  it('that says nothing does not keep an ingest from being stopped', async () => {
    await bucket.put('a.jsonl', lines(0, 10));
    proxy.fault = ({ method }) => (method === 'GET' ? { stall_after: 100 } : undefined);
    await withInstance(data, { settings: settings() }, async (instance) => {
      const sources = await SourceFiles.open([{ feed: 'ad-impressions', paths: [`s3://${bucket.name}/a.jsonl`] }], 1, instance.settings.s3);
      const stop = new AbortController();
      const ingesting = ingestSources(instance, sources, undefined, { signal: stop.signal, batchRecords: 10 });
      setTimeout(() => stop.abort(), 300);
      await expect(ingesting).rejects.toMatchObject({ code: 'interrupted' });
    });
  });
});

describe('what cannot be read', () => {
  const failing = async (path: string, more: object = {}) => {
    const error = await SourceFiles.open([{ feed: 'ad-impressions', paths: [path] }], 1, { ...settings().s3, ...more }).then(
      async (sources) => {
        try {
          await Promise.all(sources.found.map(({ content }) => content.hash()));
        } finally {
          await sources.close();
        }
      },
      (caught: Error) => caught,
    );
    const { message, remedy, code } = error as unknown as { message: string; remedy: string; code: string };
    expect(`${message} ${remedy} ${JSON.stringify(error)} ${(error as Error).stack}`).not.toContain(process.env['AWS_SECRET_ACCESS_KEY'] || 'nothing');
    return { code, text: `${message}. ${remedy}` };
  };

  it('is told with what to do about it', async () => {
    await bucket.put('a.jsonl', lines(0, 10));
    expect(await failing(`s3://${bucket.name}/none/`)).toEqual({
      code: 'source_unreadable',
      text: expect.stringMatching(/There is no object at .*none\/.*pattern/),
    });
    expect(await failing('s3://no-such-bucket-here/a')).toEqual({ code: 'source_unreadable', text: expect.stringMatching(/no such bucket.*s3\.endpoint/) });
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'a-wrong-secret');
    expect(await failing(`s3://${bucket.name}/a.jsonl`)).toEqual({ code: expect.any(String), text: expect.stringMatching(/secret key|credentials are wrong/) });
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'nobody');
    expect(await failing(`s3://${bucket.name}/`)).toEqual({
      code: 'object_store_failed',
      text: expect.stringMatching(/(does not know the access key|refuses the request).*credentials/),
    });
  });

  it('for want of credentials or a server is told so', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, '');
    for (const name of ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE']) vi.stubEnv(name, '/nowhere');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    expect(await failing(`s3://${bucket.name}/`)).toEqual({
      code: 'object_store_failed',
      text: expect.stringMatching(/no credentials were found.*AWS_ACCESS_KEY_ID/),
    });
  });
});
