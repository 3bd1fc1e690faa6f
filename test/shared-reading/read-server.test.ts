import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { serialize } from 'node:v8';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DuckDbEngine } from '../../src/engines/duckdb/duckdb-engine.ts';
import type { SharedEngine } from '../../src/engines/engine.ts';
import { BoundedReads } from '../../src/engines/remote/bounded-reads.ts';
import { encodeRequest, FRAMES, frame, MAX_REQUEST_BYTES, MAX_WORK_BYTES, PROTOCOL } from '../../src/engines/remote/protocol.ts';
import { RemoteEngine } from '../../src/engines/remote/remote-engine.ts';
import { ReadServer, type ReadServerOptions } from '../../src/engines/remote/serve-reads.ts';

/** An engine, and others who read through its process: over real sockets, in this one process. */
const SLOW = 'select count(*) as n from range(1_000_000_000) a, range(1_000_000) b';
const ENDLESS = "select range as n, repeat('x', 100) as x from range(1_000_000_000)";
let folder: string;
let owner: DuckDbEngine;
let server: ReadServer;
let clients: RemoteEngine[];

async function serve({ limitMs = 20_000, ...options }: ReadServerOptions & { readonly limitMs?: number } = {}, engine: SharedEngine = owner): Promise<void> {
  server = (await ReadServer.listen({ graceMs: 50, ...options })) as ReadServer;
  server.begin(new BoundedReads(engine, { limitMs, spillBytes: 1_000_000_000 }));
}

async function connect(): Promise<RemoteEngine> {
  const client = (await RemoteEngine.open({ address: server.address, protocol: PROTOCOL }, 'PID 7, `advertisex up`')) as RemoteEngine;
  clients.push(client);
  return client;
}

/** Until nothing that others began is left. */
async function idle(): Promise<void> {
  for (let i = 0; i < 200 && owner.reading > 0; i++) await pause(10);
  expect(owner.reading).toBe(0);
}

async function all(table: { rows: Iterable<unknown> | AsyncIterable<unknown> }): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const row of table.rows) rows.push(row);
  return rows;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-served-'));
  owner = await DuckDbEngine.open({
    path: join(folder, 'a.duckdb'),
    access: 'write',
    memory: '300MB',
    threads: 2,
    spillDirectory: join(folder, 'spill'),
    directories: [folder],
  });
  await owner.defineMacros({});
  clients = [];
});
afterEach(async () => {
  for (const client of clients) await client.close();
  await server.close();
  await idle();
  await owner.close();
  rmSync(folder, { recursive: true });
});

describe('what is read through another process', () => {
  it('is what the owner itself reads: columns, kinds, and every value of every type', async () => {
    await serve();
    const client = await connect();
    const sql = `select * from (values
      (1::tinyint, 9223372036854775807::bigint, '-170141183460469231731687303715884105728'::hugeint, 0.1::double, 'nan'::double, '-inf'::double, -0.0::double, 1.50::decimal(9, 2), true,
       'naïve 🦆', '\\x00\\xFF'::blob, date '2026-03-14', timestamp '2026-03-14 09:26:53.589793', timestamptz '2026-03-14 09:26:53.5+01', 'infinity'::timestamp, uuid '00112233-4455-6677-8899-aabbccddeeff',
       [1, null], {'a': 1}, interval 3 days, time '10:00:00', null),
      (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)) v`;
    const [here, there] = [await owner.query(sql), await client.query(sql)];
    expect(there.columns).toEqual(here.columns);
    expect(await all(there)).toEqual(await all(here));
    expect(await client.rows(sql)).toEqual(await owner.rows(sql));
    expect(await client.rows('select 1 as a, 2 as a')).toEqual(await owner.rows('select 1 as a, 2 as a'));
    expect(await all(await client.query('select 1 where false'))).toEqual([]);
  });

  it('keeps what is handed over in parameters, and what comes back', async () => {
    await serve();
    const client = await connect();
    const values = fc.record({
      text: fc.option(fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))),
      integer: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      // What looks like an integer is bound as one.
      number: fc.option(fc.double().filter((number) => !Number.isInteger(number) || Math.abs(number) < 2 ** 53)),
      flag: fc.option(fc.boolean()),
      bytes: fc.option(fc.uint8Array({ maxLength: 300 })),
    });
    const sql = 'select $text::varchar as text, $integer::bigint as integer, $number::double as number, $flag::boolean as flag, $bytes::blob as bytes';
    await fc.assert(
      fc.asyncProperty(values, async (given) => {
        const [row] = await client.rows(sql, given);
        expect(row).toEqual((await owner.rows(sql, given))[0]);
        expect({ ...row, bytes: row?.bytes && Uint8Array.from(row.bytes as Uint8Array) }).toEqual({ ...given, number: given.number === 0 ? 0 : given.number });
      }),
      { numRuns: 100 },
    );
  });

  it('is read as of a batch where that is asked for, by each for itself', async () => {
    await serve();
    const [client, other] = [await connect(), await connect()];
    await client.setVariables({ asOf: 3 });
    const asked = 'select as_of() as batch';
    expect(await client.rows(asked)).toEqual([{ batch: 3n }]);
    expect(await all(await client.query(asked))).toEqual([[3n]]);
    expect(await client.withReader(2, (reader) => reader.rows(asked))).toEqual([{ batch: 2n }]);
    for (const engine of [other, owner]) expect(await engine.rows('select as_of() = 9223372036854775807 as latest')).toEqual([{ latest: true }]);
  });

  it('is taken from the tables as it is taken from there, however large it is', async () => {
    let chunks = 0;
    const counted: SharedEngine = {
      memory: () => owner.memory(),
      read: async (statement, signal) => {
        const result = await owner.read(statement, signal);
        const next = () => {
          chunks++;
          return result.next();
        };
        return { ...result, next };
      },
    };
    await serve({}, counted);
    const { rows } = await (await connect()).query(ENDLESS);
    let count = 0n;
    for await (const [n] of rows) {
      expect(n).toBe(count++);
      if (count % 10_000n === 0n) {
        await pause(300);
        // What is on its way is some hundred kilobytes; a chunk has a quarter of a megabyte.
        expect(chunks * 2_048 - Number(count)).toBeLessThan(10 * 2_048);
      }
      if (count === 30_000n) break;
    }
  });

  it('can be a row of many megabytes', async () => {
    await serve();
    const client = await connect();
    const [row] = await client.rows<{ a: string }>("select repeat('ab', 15_000_000) as a");
    expect(row?.a).toHaveLength(30_000_000);
  });

  it('is the tables as they were committed last, while the owner is in the middle of a batch', async () => {
    await serve();
    const client = await connect();
    await owner.run('create table store.t (a integer)');
    const asked = 'select count(*) as n from store.t';
    await owner.transaction(async () => {
      await owner.run('insert into store.t values (1)');
      expect(await client.rows(asked)).toEqual([{ n: 0n }]);
    });
    expect(await client.rows(asked)).toEqual([{ n: 1n }]);
  });

  it('waits until the owner is ready', async () => {
    server = (await ReadServer.listen({ graceMs: 50 })) as ReadServer;
    const client = await connect();
    let answered = false;
    const asking = client.rows('select 1 as a').then((rows) => {
      answered = true;
      return rows;
    });
    await pause(100);
    expect(answered).toBe(false);
    server.begin(new BoundedReads(owner, { limitMs: 20_000, spillBytes: 1_000_000_000 }));
    expect(await asking).toEqual([{ a: 1 }]);
  });

  it('cannot be written, and can be nothing but the tables', async () => {
    await serve();
    const client = await connect();
    const refused = { code: 'data_locked', message: expect.stringContaining('PID 7, `advertisex up`') };
    await expect(client.run()).rejects.toMatchObject(refused);
    await expect(client.transaction()).rejects.toMatchObject(refused);
    await expect(client.setVariables({ batch: 1 })).rejects.toMatchObject(refused);
    await expect(client.withReader(1, (reader) => reader.copyToParquet('select 1', join(folder, 'x')))).rejects.toMatchObject(refused);
    for (const sql of ["select * from read_text('/etc/passwd')", 'drop schema store', "copy (select 1) to 'x'", 'not sql', 'select no_column']) {
      await expect(client.rows(sql), sql).rejects.toMatchObject({ code: 'query_invalid', remedy: expect.stringMatching(/\w/) });
      await expect(client.query(sql), sql).rejects.toMatchObject({ code: 'query_invalid' });
    }
  });
});

describe('one of many', () => {
  it('is answered beside the others, who cannot take all there is', async () => {
    await serve();
    const busy = await connect();
    const slow = [0, 1, 2, 3, 4, 5].map(() => busy.rows(SLOW).catch((error) => error));
    await pause(100);
    // The owner's own work goes on.
    for (let i = 0; i < 20; i++) await owner.rows('select 1 as a');
    busy.interrupt();
    for (const failure of await Promise.all(slow)) expect(failure).toMatchObject({ code: 'interrupted' });
    const many = await Promise.all(Array.from({ length: 10 }, () => connect()));
    expect(await Promise.all(many.map((client, i) => client.rows('select $i::integer as i', { i })))).toEqual(many.map((_, i) => [{ i }]));
  });

  it('is told to come back where there are too many', async () => {
    await serve({ maxClients: 2 });
    const busy = await connect();
    for (const _ of [0, 1]) await busy.query(ENDLESS);
    await expect((await connect()).rows('select 1')).rejects.toMatchObject({
      code: 'data_locked',
      message: expect.stringContaining('as many others as it can'),
    });
  });

  it('who goes away in the middle leaves nothing at work', async () => {
    await serve();
    for (const sql of [SLOW, ENDLESS]) {
      const client = await connect();
      const asking = client.query(sql).catch(() => undefined);
      await pause(50);
      expect(owner.reading).toBe(1);
      await client.close();
      await asking;
      await idle();
    }
    const client = await connect();
    for await (const _ of (await client.query(ENDLESS)).rows) break;
    await idle();
  });

  it('who takes too long is told so, whether it is the query or who asks', async () => {
    await serve({ limitMs: 200 });
    const client = await connect();
    await expect(client.rows(SLOW)).rejects.toMatchObject({ code: 'query_timeout', message: expect.stringContaining('0.2 s') });
    const { rows } = await client.query(ENDLESS);
    await pause(300);
    await idle();
    await expect(all({ rows })).rejects.toMatchObject({ code: expect.stringMatching(/query_timeout|interrupted/) });
    expect(await client.rows('select 1 as a')).toEqual([{ a: 1 }]);
  });

  it('takes the end of a result in its own time', async () => {
    await serve();
    const client = await connect();
    // Of some of them just the last bytes find no room on their way.
    const sizes = Array.from({ length: 30 }, (_, i) => 100 + 16 * i);
    const results = await Promise.all(sizes.map((size) => client.query(`select repeat('x', 1000) as x from range(${size})`)));
    await pause(1_500);
    for (const [i, result] of results.entries()) expect(await all(result)).toHaveLength(sizes[i] as number);
  });

  it('is told when the owner ends', async () => {
    await serve();
    const client = await connect();
    const asking = client.rows(SLOW).catch((error) => error);
    await pause(50);
    await server.close();
    expect(await asking).toMatchObject({ code: 'interrupted', message: expect.stringContaining('is ending') });
    expect(existsSync(dirname(server.address))).toBe(false);
    expect(await RemoteEngine.open({ address: server.address, protocol: PROTOCOL }, 'PID 7')).toBeUndefined();
  });
});

describe('someone who does not keep to the protocol', () => {
  async function send(...pieces: Uint8Array[]): Promise<{ socket: Socket; answer: Promise<string> }> {
    const socket = createConnection(server.address);
    let text = '';
    socket.on('error', () => undefined).on('data', (bytes) => (text += bytes.toString('latin1', 0, 1_000)));
    const answer = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
    await new Promise((resolve) => socket.once('connect', resolve));
    for (const piece of pieces) socket.write(piece);
    return { socket, answer };
  }

  it.each([
    ['another protocol', frame(FRAMES.request, serialize({ protocol: '0.1', sql: 'select 1', parameters: {}, asOf: null, values: 'engine' }))],
    ['more than there may be', frame(FRAMES.rows, serialize('x'.repeat(MAX_REQUEST_BYTES)))],
    ['a length beyond any', Buffer.from([255, 255, 255, 255, 3, 0])],
    ['no request', frame(FRAMES.rows, serialize([[1]]))],
    ['what cannot be read', frame(FRAMES.request, Buffer.from('GET / HTTP/1.1'))],
    ['what has no place in it', frame(FRAMES.request, serialize({ protocol: PROTOCOL, sql: 'select 1', parameters: { a: {} }, asOf: null, values: 'engine' }))],
    ['as of no batch', frame(FRAMES.request, serialize({ protocol: PROTOCOL, sql: 'select 1', parameters: {}, asOf: '1; drop', values: 'engine' }))],
  ])('is told: %s', async (_, bytes) => {
    await serve();
    const { answer } = await send(bytes);
    expect(await answer).toMatch(/data_locked.+does not speak protocol/);
    expect(await (await connect()).rows('select 1 as a')).toEqual([{ a: 1 }]);
  });

  it.each([
    ['statement', FRAMES.request, MAX_REQUEST_BYTES],
    ['piece of work', FRAMES.work, MAX_WORK_BYTES],
  ])('is told that a %s is too long, also while it is still sent', async (_, kind, maxBytes) => {
    await serve();
    const whole = frame(kind, Buffer.alloc(maxBytes + 1));
    const { answer } = await send(whole.subarray(0, 100), whole.subarray(100));
    expect(await answer).toMatch(/"usage".+too long: [\d,]+ bytes, of [\d,]+ at most/);
  });

  it('is left where nothing can be told', async () => {
    await serve();
    const request = encodeRequest({ sql: ENDLESS, parameters: {}, asOf: null, values: 'engine' });
    const twice = await send(request, Buffer.from('more'));
    await twice.answer;
    const half = await send(request.subarray(0, 3));
    half.socket.destroy();
    await idle();
    const slowly = await send();
    for (const byte of request) slowly.socket.write(Buffer.of(byte));
    await new Promise((resolve) => slowly.socket.once('data', resolve));
    slowly.socket.destroy();
    expect(await (await connect()).rows('select 1 as a')).toEqual([{ a: 1 }]);
  });

  it('may be any bytes at all', async () => {
    await serve();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, isFramed) => {
        const { socket } = await send(isFramed ? frame(FRAMES.request, Buffer.concat([Buffer.from([255, 15]), bytes])) : bytes);
        socket.end();
        await new Promise((resolve) => socket.once('close', resolve));
      }),
      { numRuns: 200 },
    );
    expect(await (await connect()).rows('select 1 as a')).toEqual([{ a: 1 }]);
  });

  it('may be the owner: of another version, or one that answers nonsense', async () => {
    await serve();
    await expect(RemoteEngine.open({ address: server.address, protocol: '0.15' }, 'PID 7')).rejects.toMatchObject({
      code: 'data_locked',
      message: expect.stringContaining('protocol'),
    });
    const address = join(mkdtempSync(join(tmpdir(), 'advertisex-')), 'reads');
    for (const nonsense of [
      Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
      frame(FRAMES.rows, serialize([])),
      frame(FRAMES.columns, Buffer.from('x')),
      frame(FRAMES.end),
      frame(FRAMES.failure, Buffer.from('x')),
    ]) {
      const stranger = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end(nonsense)));
      await new Promise<void>((resolve) => stranger.listen(address, resolve));
      chmodSync(address, 0o600);
      const client = (await RemoteEngine.open({ address, protocol: PROTOCOL }, 'PID 7')) as RemoteEngine;
      await expect(client.rows('select 1')).rejects.toMatchObject({ code: expect.stringMatching(/data_locked|interrupted/) });
      await client.close();
      await new Promise((resolve) => stranger.close(resolve));
    }
    rmSync(dirname(address), { recursive: true, force: true });
  });
});

describe.skipIf(process.platform === 'win32')('the address', () => {
  it('is this user’s alone, and short, wherever the data is', async () => {
    await serve();
    expect(statSync(dirname(server.address)).mode & 0o777).toBe(0o700);
    expect(statSync(server.address).mode & 0o777).toBe(0o600);
    await server.close();
    const deep = join(folder, 'd'.repeat(100));
    mkdirSync(deep);
    await serve({ places: [deep, folder] });
    expect(dirname(dirname(server.address))).toBe(folder);
    expect(await (await connect()).rows('select 1 as a')).toEqual([{ a: 1 }]);
  });

  it('is done without where there is no place for one', async () => {
    await serve();
    expect(await ReadServer.listen({ places: [join(folder, 'x'.repeat(100)), join(folder, 'missing')] })).toBeUndefined();
  });

  it('is not gone to where others could listen, or stand in for the owner', async () => {
    await serve();
    const open = (address: string) => RemoteEngine.open({ address, protocol: PROTOCOL }, 'PID 7');
    const refused = { code: 'data_locked', message: expect.stringContaining(' is not asked at ') };
    chmodSync(dirname(server.address), 0o755);
    await expect(open(server.address)).rejects.toMatchObject(refused);
    chmodSync(dirname(server.address), 0o700);
    chmodSync(server.address, 0o666);
    await expect(open(server.address)).rejects.toMatchObject(refused);
    chmodSync(server.address, 0o600);
    for (const address of ['/tmp/reads', '/var/run/docker.sock', join(folder, 'a.duckdb'), 'localhost', join(dirname(server.address), 'other')]) {
      await expect(open(address), address).rejects.toMatchObject(refused);
    }
    expect(await open(join(dirname(dirname(server.address)), 'advertisex-gone00', 'reads'))).toBeUndefined();
    expect(await (await connect()).rows('select 1 as a')).toEqual([{ a: 1 }]);
  });
});
