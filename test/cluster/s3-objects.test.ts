import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { S3Access } from '../../scripts/cluster/s3.ts';
import { FetchedFiles } from '../../src/app/fetched-files.ts';
import { ObjectChanged, type ObjectStore } from '../../src/object-store/object-store.ts';
import { S3, type S3Limits } from '../../src/object-store/s3/s3-bucket.ts';
import { fetchObject } from '../../src/sources/fetch-object.ts';
import { listObjects } from '../../src/sources/list-objects.ts';
import { credentialsOf, type TestBucket, testBucket } from './s3-bucket.ts';
import { type S3Proxy, s3Proxy } from './s3-proxy.ts';
import { s3Server } from './s3-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-s3-objects-'));
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
const opened: S3[] = [];
beforeEach(async () => {
  for (const [name, value] of Object.entries(credentialsOf(server))) vi.stubEnv(name, value);
  bucket = await testBucket(server);
  proxy.fault = () => undefined;
  proxy.requests.length = 0;
});
afterEach(() => {
  for (const s3 of opened.splice(0)) s3.close();
  bucket.close();
  vi.unstubAllEnvs();
});

function store(limits: Partial<S3Limits> = {}): ObjectStore {
  const s3 = new S3({ endpoint: proxy.endpoint, region: server.region }, limits);
  opened.push(s3);
  return s3.bucket(bucket.name);
}
const list = async (key: string, limits: Partial<S3Limits> = {}) => {
  const files = await listObjects(`s3://${bucket.name}/${key}`, async () => store(limits));
  return files.map(({ path }) => path.slice(`s3://${bucket.name}/`.length));
};
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const signal = new AbortController().signal;

describe('a listing', () => {
  it('has all pages, and keys as they are, however odd', async () => {
    const odd = ['a b', 'a+b', 'a%2Fb', 'a%b', 'grün', 'a&b<c>', 'a#b?c=d', `a'b"c`, '🚲', 'a=b;c,d', ' x', 'a\\b', '[1]', 'a*b', '{x}', '~!@$^()'].map(
      (name) => `in/${name}.json`,
    );
    for (const key of odd) await bucket.put(key, key);
    expect((await list('in', { pageKeys: 3 })).toSorted()).toEqual(odd.toSorted());
    expect(proxy.requests.filter(({ url }) => url.includes('continuation-token')).length).toBe(5);
    for (const key of odd) {
      expect(await list(key)).toEqual([key]);
      const [file] = await listObjects(`s3://${bucket.name}/${key}`, async () => store());
      expect(await fetchObject(store(), file as never, join(folder, 'odd'), signal)).toBe(sha256(Buffer.from(key)));
    }
  });

  it('is that of an object, a folder or a pattern; what looks unfinished is no part of a folder', async () => {
    const keys = ['logs/day-1.json', 'logs/day-2.json.gz', 'logs/late/day-3.json.gz', 'logs/_SUCCESS', 'logs/.part/x.json', 'logs-old/day.json'];
    for (const key of keys) await bucket.put(key, key);
    expect(await list('logs')).toEqual(keys.slice(0, 3));
    expect(await list('logs/')).toEqual(keys.slice(0, 3));
    expect(await list('logs/late/day-3.json.gz')).toEqual(['logs/late/day-3.json.gz']);
    expect(await list('logs/day-*')).toEqual(['logs/day-1.json', 'logs/day-2.json.gz']);
    expect(await list('logs/**/*.gz')).toEqual(['logs/day-2.json.gz', 'logs/late/day-3.json.gz']);
    expect(await list('logs*/day.json')).toEqual(['logs-old/day.json']);
    expect((await list('')).length).toBe(4);
    await expect(list('log')).rejects.toMatchObject({ code: 'source_unreadable' });
  });
});

describe('an object', () => {
  const fetched = async (key: string, limits: Partial<S3Limits> = {}) => {
    const [file] = await listObjects(`s3://${bucket.name}/${key}`, async () => store());
    return fetchObject(store(limits), file as never, join(folder, 'fetched'), signal);
  };

  it('of which no more comes is given up after a while and taken up again', async () => {
    const bytes = randomBytes(600_000);
    await bucket.put('a', bytes);
    let stalls = 0;
    proxy.fault = ({ method }) => (method === 'GET' && stalls++ < 3 ? { stall_after: 100_000 } : undefined);
    expect(await fetched('a', { idleMs: 300 })).toBe(sha256(bytes));
    expect(readFileSync(join(folder, 'fetched')).equals(bytes)).toBe(true);
    expect(stalls).toBe(4);
  });

  it('that is asked for and never answered is asked for again, and then given up', async () => {
    await bucket.put('a', 'x');
    let asked = 0;
    proxy.fault = ({ method }) => (method === 'GET' && asked++ < 2 ? 'hang' : undefined);
    expect(await fetched('a', { idleMs: 200 })).toBe(sha256(Buffer.from('x')));
    proxy.fault = ({ method }) => (method === 'GET' ? 'hang' : undefined);
    await expect(fetched('a', { idleMs: 100, attempts: 2 })).rejects.toMatchObject({
      code: 'object_store_failed',
      message: expect.stringContaining('does not answer'),
    });
  });

  it('without bytes is one', async () => {
    await bucket.put('empty', '');
    expect(await fetched('empty')).toBe(sha256(Buffer.alloc(0)));
  });

  it('whose connection ends before a byte comes, each time, is told', async () => {
    await bucket.put('a', randomBytes(1_000));
    proxy.fault = ({ method }) => (method === 'GET' ? { cut_after: 0 } : undefined);
    await expect(fetched('a', { idleMs: 500, attempts: 2 })).rejects.toMatchObject({ code: 'object_store_failed' });
  }, 60_000);
});

describe('a put', () => {
  it('has one winner where the object must not be there yet, or must be a version of it, also in parts', async () => {
    const small = store();
    const winners = async (puts: readonly Promise<string>[]) => {
      const settled = await Promise.allSettled(puts);
      const lost = settled.filter((each) => each.status === 'rejected');
      expect(lost.every(({ reason }) => reason instanceof ObjectChanged)).toBe(true);
      return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    };
    const texts = Array.from({ length: 10 }, (_, index) => `text ${index}`);
    const [etag, ...others] = await winners(texts.map((text) => small.put('once', { text }, { replaces: 'absent' })));
    expect(others).toEqual([]);
    const replaced = await winners(texts.map((text) => small.put('once', { text: `${text} again` }, { replaces: { etag: etag as string } })));
    expect(replaced.length).toBe(1);
    await expect(small.put('once', { text: 'late' }, { replaces: { etag: etag as string } })).rejects.toBeInstanceOf(ObjectChanged);
    expect(String(await bucket.get('once'))).toMatch(/again$/);
  });
});

describe('objects on their way', () => {
  it('are few at a time, are fetched before they are asked for, and leave nothing', async () => {
    const bytes = randomBytes(10_000);
    for (let key = 0; key < 8; key++) await bucket.put(`${key}`, Buffer.concat([bytes, Buffer.from([key])]));
    const files = await listObjects(`s3://${bucket.name}/`, async () => store());
    const fetching = new FetchedFiles({ bucket: async () => store() }, { heldBytes: 20_000, filesAhead: 2, bytesAhead: 1_000_000 });
    let isFull = false;
    fetching.useFolder(folder, async () => {
      if (isFull) throw new Error('no room');
    });
    const contents = files.map((file) => fetching.add(file, undefined));
    const here = () => readdirSync(join(folder, 'fetched-objects'));
    expect(await contents[0]?.hash()).toBe(sha256(Buffer.concat([bytes, Buffer.from([0])])));
    await fetching.room();
    await contents[1]?.hash();
    let isRoom = false;
    const room = fetching.room().then(() => {
      isRoom = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isRoom).toBe(false);
    expect(here().length).toBe(4);
    await contents[0]?.letGo();
    await room;
    expect(here().length).toBe(3);
    // Read again without being asked for: nothing has to wait for it.
    await contents[0]?.use(async ({ path }) => expect(readFileSync(path).length).toBe(10_001));
    expect(here().length).toBe(3);
    for (const content of contents) {
      await content.hash();
      await content.letGo();
    }
    expect(here()).toEqual([]);
    isFull = true;
    await expect(contents[0]?.here()).rejects.toThrow('no room');
    await contents[0]?.letGo();
    await fetching.close();
    await expect(contents[0]?.here()).rejects.toMatchObject({ code: 'interrupted' });
  });
});
