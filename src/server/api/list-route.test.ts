import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeFigures, fakeFigures } from '../../../test/server/fake-figures.ts';
import { type Answer, send, startServer, type TestServer } from '../../../test/server/test-server.ts';

let figures: FakeFigures;
let server: TestServer;
beforeEach(async () => {
  figures = fakeFigures();
  server = await startServer({ figures });
});
afterEach(() => server.close());

describe('pages', () => {
  const next = (answer: Answer) => answer.json['next'] as string | null;

  it('have every row once, while more are added', async () => {
    const seen: number[] = [];
    for (let path: string | null = '/v1/batches?limit=3'; path !== null; ) {
      const answer = await send(server, path);
      expect(answer).toMatchObject({ status: 200, json: { as_of: 7 } });
      const rows = answer.json['rows'] as { batch_id: number; received: string }[];
      expect(rows[0]?.received).toBe('1152921504606846976');
      seen.push(...rows.map(({ batch_id }) => batch_id));
      path = next(answer);
      expect(answer.headers.link).toBe(path === null ? undefined : `<${path}>; rel="next"`);
      figures.lastBatch += 5;
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  it('go on only where a cursor was made for them', async () => {
    const cursor = new URL((next(await send(server, '/v1/batches?limit=3&as_of=5')) as string).replace(/^/, server.url)).searchParams.get('cursor') as string;
    expect(await send(server, `/v1/batches?as_of=5&limit=1&cursor=${cursor}`)).toMatchObject({ status: 200, json: { rows: [{ batch_id: 2 }] } });
    const forged = `${cursor.slice(0, -4)}${cursor.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    for (const path of [
      `/v1/batches?as_of=5&cursor=${forged}`,
      `/v1/batches?as_of=6&cursor=${cursor}`,
      `/v1/batches?cursor=${cursor}`,
      `/v1/files?as_of=5&cursor=${cursor}`,
      '/v1/batches?cursor=x',
      '/v1/batches?cursor=%00',
      `/v1/batches?cursor=${Buffer.from('[7,["3"]]').toString('base64url')}`,
    ]) {
      expect(await send(server, path), path).toMatchObject({ status: 400, json: { type: 'urn:advertisex:error:request_invalid' } });
    }
    const other = await startServer({ figures, secret: Buffer.alloc(32, 8) });
    expect(await send(other, `/v1/batches?as_of=5&cursor=${cursor}`)).toMatchObject({ status: 400 });
    await other.close();
  });

  it('keep their filters', async () => {
    const first = await send(server, '/v1/ledger?feed=users&batch_id=3&limit=1');
    // The rows of the fake are none of a ledger.
    expect(first.status).toBe(500);
    expect(figures.asked).toEqual([['ledger', { feed: 'users', batch_id: 3 }]]);
    await send(server, '/v1/quarantine?feed=users&code=bad_id&path=&since=2026-03-01&until=2026-03-01T10:00:00%2B01:00&all=true');
    expect(figures.asked[1]).toEqual([
      'quarantine',
      { feed: 'users', code: 'bad_id', path: '', since: '2026-03-01', until: '2026-03-01T10:00:00+01:00', all: true },
    ]);
  });
});
