import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { run } from '../faults/command-line.ts';
import { startUp, stopUp } from '../live/running-up.ts';

/** A connection from each of ten thousand senders to one `up`, all at once. Each process needs a file for each: Node.js raises its limit to the hard one by itself. */
const CONNECTIONS = 10_000;
const OTHER_FILES = 300;
const AT_ONCE = 250;
const MOST_MEGABYTES = 1_000;

const folder = mkdtempSync(join(tmpdir(), 'advertisex-connections-'));
const sockets: Socket[] = [];
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  rmSync(folder, { recursive: true });
});

it('takes a record from each of ten thousand connections that are open at once', async ({ skip }) => {
  const files = mostFiles();
  if (files < CONNECTIONS + OTHER_FILES) return skip(`a process may open ${files} files here, and ${CONNECTIONS + OTHER_FILES} are needed (ulimit -Hn)`);
  const data = join(folder, 'data');
  const up = await startUp(data);
  const port = Number(new URL(up.url).port);
  for (let next = 0; next < CONNECTIONS; next += AT_ONCE) {
    // A first request each: from then on the server lets them wait for a minute.
    await Promise.all(Array.from({ length: AT_ONCE }, () => open(port)));
  }
  expect(sockets.length).toBe(CONNECTIONS);
  const statuses = await Promise.all(sockets.map((socket, number) => ask(socket, recordOf(number))));
  const byStatus = new Map<number, number>();
  for (const status of statuses) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  expect(byStatus).toEqual(new Map([[200, CONNECTIONS]]));
  if (process.platform === 'linux') expect(peakMegabytes(up.child.pid)).toBeLessThan(MOST_MEGABYTES);
  await stopUp(up);
  const { stdout } = await run([
    'query',
    'select count(*) as rows, count(distinct impression_id) as ids from silver.impressions',
    '--format',
    'json',
    '--data',
    data,
  ]);
  expect(JSON.parse(stdout)).toEqual([{ rows: CONNECTIONS, ids: CONNECTIONS }]);
  return undefined;
});

/** As many as a process may have open; without end where the system says so. */
function mostFiles(): number {
  const said = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout?.trim();
  return said === 'unlimited' ? Number.POSITIVE_INFINITY : Number(said || 0);
}

async function open(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  sockets.push(socket);
  expect(await ask(socket, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')).toBe(200);
}

/** The status of the answer, once its head is there; 0: the connection was ended. */
function ask(socket: Socket, request: string): Promise<number> {
  return new Promise((resolve) => {
    let received = '';
    const take = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      const head = /^HTTP\/1.1 (\d+)[\s\S]*?content-length: (\d+)[\s\S]*?\r\n\r\n/i.exec(received);
      if (head === null || received.length < head[0].length + Number(head[2])) return;
      end(Number(head[1]));
    };
    const end = (status: number): void => {
      socket.off('data', take).off('close', gone).off('error', gone);
      resolve(status);
    };
    const gone = (): void => end(0);
    socket.on('data', take).on('close', gone).on('error', gone);
    socket.write(request);
  });
}

function recordOf(number: number): string {
  const body = JSON.stringify({
    impression_id: `n${number}`,
    creative_id: 'k',
    user_id: `u${number}`,
    timestamp: '2026-03-02T10:00:00Z',
    website: 'w.example',
  });
  return `POST /v1/events/ad-impressions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function peakMegabytes(pid: number | undefined): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024);
}
