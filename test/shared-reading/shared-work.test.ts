import { afterEach, expect, it } from 'vitest';
import { AdvertiseXError } from '../../src/domain/errors.ts';
import { PROTOCOL } from '../../src/engines/remote/protocol.ts';
import { RemoteEngine } from '../../src/engines/remote/remote-engine.ts';
import { ReadServer, type SharedWork } from '../../src/engines/remote/serve-reads.ts';

/** Work that another process does: over real sockets, in this one process. */
let server: ReadServer;
const clients: RemoteEngine[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await server.close();
});

async function serve(work?: SharedWork, works = true): Promise<RemoteEngine> {
  server = (await ReadServer.listen({ graceMs: 50, works })) as ReadServer;
  if (work !== undefined) server.beginWork(work);
  const client = (await RemoteEngine.open({ address: server.address, protocol: PROTOCOL }, 'PID 7, `advertisex up`')) as RemoteEngine;
  clients.push(client);
  return client;
}

const REQUEST = { work: 'ingest', argument: { paths: ['a'], at: 7n } };

it('tells of progress, and gives what came of it, however long it takes', async () => {
  const asked: unknown[] = [];
  const client = await serve({
    perform: async (request, onProgress) => {
      asked.push(request);
      for (let step = 1; step <= 3; step++) {
        onProgress({ step });
        // Longer than a query may take.
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
      return new Map([['received', 3n]]);
    },
  });
  const seen: unknown[] = [];
  expect(await client.perform(REQUEST, (progress) => seen.push(progress))).toEqual(new Map([['received', 3n]]));
  expect(seen).toEqual([{ step: 1 }, { step: 2 }, { step: 3 }]);
  expect(asked).toEqual([REQUEST]);
});

it('may name many files, and says in its own words where they are too many', async () => {
  const client = await serve({ perform: async ({ argument }) => (argument as { paths: string[] }).paths.length });
  const ask = (count: number) =>
    client.perform({ work: 'ingest', argument: { paths: Array.from({ length: count }, (_, file) => `/exports/${file}`.padEnd(100, 'x')) } });
  expect(await ask(100_000)).toBe(100_000);
  await expect(ask(200_000)).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('too long'), remedy: expect.stringContaining('folders') });
});

it('fails as it failed there', async () => {
  const client = await serve({ perform: () => Promise.reject(new AdvertiseXError('source_unreadable', 'no such file', 'Look again.')) });
  await expect(client.perform(REQUEST)).rejects.toMatchObject({ code: 'source_unreadable', message: 'no such file', remedy: 'Look again.' });
});

it('is stopped once nobody waits for it, and when the owner ends', async () => {
  const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const stopped = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let works = 0;
  const client = await serve({
    perform: (_request, _onProgress, signal) =>
      new Promise((_, reject) => {
        const work = works++;
        begun[work]?.resolve();
        signal.addEventListener('abort', () => {
          stopped[work]?.resolve();
          reject(new Error('stopped'));
        });
      }),
  });
  const other = (await RemoteEngine.open({ address: server.address, protocol: PROTOCOL }, 'PID 7')) as RemoteEngine;
  clients.push(other);
  const first = client.perform(REQUEST);
  await begun[0]?.promise;
  client.interrupt();
  await expect(first).rejects.toMatchObject({ code: 'interrupted' });
  await stopped[0]?.promise;
  const second = other.perform(REQUEST);
  const failing = expect(second).rejects.toMatchObject({ code: 'interrupted', message: expect.stringContaining('ending') });
  await begun[1]?.promise;
  await server.close();
  await stopped[1]?.promise;
  await failing;
});

it('waits for an owner that is about to work, and is refused by one that does not work for others', async () => {
  const client = await serve();
  const asked = client.perform(REQUEST);
  server.beginWork({ perform: async () => 'done' });
  expect(await asked).toBe('done');
  await server.close();
  const refused = await serve(undefined, false);
  await expect(refused.perform(REQUEST)).rejects.toMatchObject({ code: 'data_locked' });
});
