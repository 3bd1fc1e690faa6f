import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Running, run } from '../faults/command-line.ts';
import { fillDisk, makeRoom, mountDisk, NO_SMALL_DISK, unmountDisk } from '../faults/small-disk.ts';
import { eventually } from './open-small-live.ts';
import { startUp, stopUp } from './running-up.ts';

/** A file system that is really full: under the log, the staged records, the database and the lake. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-full-'));
const mounts: string[] = [];
const running: Running[] = [];
afterAll(async () => {
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
  for (const mount of mounts) unmountDisk(mount);
  rmSync(folder, { recursive: true });
});

function smallDisk(name: string): string | undefined {
  const mount = mountDisk(folder, name, 60_000);
  if (mount !== undefined) mounts.push(mount);
  return mount;
}

let records = 0;
const lines = (count: number, filling = 'x') =>
  Array.from({ length: count }, () =>
    JSON.stringify({
      impression_id: `n${records++}`,
      creative_id: 'k',
      user_id: 'u',
      timestamp: '2026-03-02T10:00:00Z',
      website: 'w.example',
      user_agent: filling,
    }),
  ).join('\n');

/** What a sender is told, and which numbers it may count on. */
async function send(url: string, count: number, filling?: string): Promise<{ status: number; type: string; numbers: number[] }> {
  const first = records;
  const answer = await fetch(`${url}/v1/events/ad-impressions`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines(count, filling),
  });
  const { type = '' } = (await answer.json()) as { type?: string };
  return { status: answer.status, type, numbers: answer.status === 200 ? Array.from({ length: count }, (_, index) => first + index) : [] };
}

async function numbersIn(data: string): Promise<number[]> {
  const { status, stdout, stderr } = await run(['query', 'select impression_id as id from silver.impressions', '--format', 'json', '--data', data]);
  expect(status, stderr).toBe(0);
  return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => Number(id.slice(1)));
}

async function startOnSmallDisk(disk: string) {
  const data = join(disk, 'data');
  const up = await startUp(data);
  running.push(up);
  const acknowledged: number[] = [];
  for (let i = 0; i < 10; i++) acknowledged.push(...(await send(up.url, 50)).numbers);
  expect(acknowledged.length).toBe(500);
  return { data, up, acknowledged };
}

/** Until something is taken again, and everything that was acknowledged is in the tables: by itself, while it runs. */
async function goesOn({ data, up, acknowledged }: Awaited<ReturnType<typeof startOnSmallDisk>>): Promise<void> {
  await eventually(async () => {
    const { status, numbers } = await send(up.url, 10);
    acknowledged.push(...numbers);
    return status === 200;
  }, 60_000);
  let found: number[] = [];
  await eventually(async () => {
    found = await numbersIn(data);
    const isThere = new Set(found);
    return acknowledged.every((number) => isThere.has(number));
  }, 60_000);
  expect(new Set(found).size).toBe(found.length);
  await stopUp(up);
  expect((await run(['recon', '--data', data])).status).toBe(0);
}

describe('up on a disk that becomes full', () => {
  it('refuses what it cannot keep, and goes on by itself once there is room', async ({ skip }) => {
    const disk = smallDisk('log');
    if (disk === undefined) return skip(NO_SMALL_DISK);
    const live = await startOnSmallDisk(disk);
    fillDisk(disk);
    for (let i = 0; i < 3; i++) expect(await send(live.up.url, 100, 'y'.repeat(100))).toMatchObject({ status: 503, type: 'urn:advertisex:error:disk_full' });
    expect((await fetch(`${live.up.url}/healthz`)).status).toBe(200);
    makeRoom(disk);
    await goesOn(live);
    expect((await live.up.ended).stderr).toContain('There is no space left to write the collector');
    return undefined;
  });

  it('keeps what it acknowledged and cannot apply, says that it is not well, and applies it once there is room', async ({ skip }) => {
    const disk = smallDisk('tables');
    if (disk === undefined) return skip(NO_SMALL_DISK);
    const live = await startOnSmallDisk(disk);
    // The log finds room for some more, and what is made of it does not.
    fillDisk(disk, 200_000);
    const isUnwell = async () => (await fetch(`${live.up.url}/readyz`)).status === 503;
    await eventually(async () => {
      live.acknowledged.push(...(await send(live.up.url, 5)).numbers);
      return isUnwell();
    });
    const statuses = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const { status, type, numbers } = await send(live.up.url, 20);
      live.acknowledged.push(...numbers);
      statuses.add(`${status} ${type.split(':').at(-1)}`);
    }
    expect([...statuses].filter((answer) => !/^(200 |503 (disk_full|server_busy))$/.test(answer))).toEqual([]);
    makeRoom(disk);
    await goesOn(live);
    expect((await live.up.ended).stderr).toContain('It is tried again');
    return undefined;
  });
});
