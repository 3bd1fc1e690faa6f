import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { run } from '../faults/command-line.ts';
import { startUp, stopUp } from './running-up.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-stopped-up-'));
afterAll(() => rmSync(folder, { recursive: true }));

const impression = (number: number) =>
  `${JSON.stringify({ impression_id: `n${number}`, creative_id: 'k', user_id: 'u', timestamp: '2026-03-02T10:00:00Z', website: 'w.example' })}\n`;
const copiesOf = async (data: string) => {
  const { stdout } = await run([
    'query',
    'select impression_id as id, count(*) as copies from silver.impressions group by all',
    '--format',
    'json',
    '--data',
    data,
  ]);
  return new Map((JSON.parse(stdout) as { id: string; copies: number }[]).map(({ id, copies }) => [id, copies]));
};

/** The status, or why there is none. */
function send(agent: Agent, url: string, body: string): Promise<number | string> {
  return new Promise((resolve) => {
    const sending = request(`${url}/v1/events/ad-impressions`, { method: 'POST', agent, headers: { 'content-type': 'application/x-ndjson' } }, (response) =>
      response.resume().once('end', () => resolve(response.statusCode ?? 0)),
    );
    sending.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    sending.end(body);
  });
}

it.each(['SIGTERM', 'SIGINT'] as const)('stopped by %s under load, it answers what it took, refuses the rest, and the next one goes on', async (signal) => {
  const data = join(folder, signal);
  const acknowledged = new Set<number>();
  let next = 0;
  for (const _round of [1, 2]) {
    const up = await startUp(data);
    const agent = new Agent({ keepAlive: true });
    const answers = new Map<number | string, number>();
    let isOver = false;
    let isStopped = false;
    const atFirst = acknowledged.size;
    const sending = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const number = next++;
        const answer = await send(agent, up.url, impression(number));
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
        if (answer === 200) acknowledged.add(number);
        if (!isStopped && acknowledged.size >= atFirst + 100) isStopped = up.child.kill(signal);
        if (answer === 'ECONNREFUSED') return;
      }
    });
    const { status, stderr } = await up.ended;
    isOver = true;
    await Promise.all(sending);
    agent.destroy();
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('Stopping') });
    // A connection that is closed between two requests may be written to once more.
    for (const answer of answers.keys()) expect([200, 503, 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']).toContain(answer);
    expect(stderr.split('\n').length, stderr).toBe(3);
  }
  const copies = await copiesOf(data);
  expect(acknowledged.size).toBeGreaterThanOrEqual(200);
  expect([...acknowledged].filter((number) => copies.get(`n${number}`) !== 1)).toEqual([]);
  expect([...copies.values()].every((times) => times === 1)).toBe(true);
});

it('ends at once when it is told again, and what it acknowledged is there', async () => {
  const data = join(folder, 'twice');
  const up = await startUp(data);
  expect(await send(new Agent(), up.url, impression(1))).toBe(200);
  // A request that does not end keeps it from ending in order, for a while.
  const { hostname, port } = new URL(up.url);
  const slow = connect(Number(port), hostname).on('error', () => undefined);
  await once(slow, 'connect');
  slow.write('POST /v1/events/ad-impressions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
  expect(await send(new Agent(), up.url, impression(2))).toBe(200);
  const stopping = new Promise<void>((resolve) => {
    up.child.stderr?.on('data', (text: string) => {
      if (text.includes('Stopping: ')) resolve();
    });
  });
  up.child.kill('SIGTERM');
  await stopping;
  up.child.kill('SIGTERM');
  expect(await up.ended).toMatchObject({ status: 143, signal: null });
  slow.destroy();
  await stopUp(await startUp(data));
  expect([...(await copiesOf(data))].sort()).toEqual([
    ['n1', 1],
    ['n2', 1],
  ]);
});
