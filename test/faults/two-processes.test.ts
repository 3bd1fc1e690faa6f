import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import { openInstance } from '../../src/app/instance.ts';
import { expectFailure, holds, run, start } from './command-line.ts';
import { brokenEquations, readEveryTable } from './every-table.ts';
import { instanceOptions, withInstance } from './open-instance.ts';

/** One process has the data at a time. The others are told which, and what it is doing; and no dead one keeps it. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-two-processes-'));
afterAll(() => rmSync(folder, { recursive: true }));
const users = join(folder, 'users.csv');
writeFileSync(users, 'user_id\nann\nbea\n');

it('names the process that has the data, and what it does; once it is dead the next one works', async () => {
  const data = join(folder, 'held');
  const holder = start(['ingest', 'users', '-', '--data', data]);
  await holds(holder, data);
  const words = [['ingest', 'users', users], ['rebuild'], ['lake', 'export']];
  const refused = await Promise.all(words.map((command) => run([...command, '--data', data])));
  for (const ended of refused) expectFailure(ended, 3, 'data_locked', new RegExp(`PID ${holder.child.pid}, \`advertisex ingest\`, since 20`));

  holder.child.kill('SIGKILL');
  expect(await holder.ended).toMatchObject({ signal: 'SIGKILL' });
  expect(existsSync(join(data, 'owner.json'))).toBe(true);
  expect(await run(['ingest', 'users', users, '--data', data])).toMatchObject({ status: 0 });
  expect(existsSync(join(data, 'owner.json'))).toBe(false);
});

it('does not name a dead process when a reader has the data', async () => {
  const data = join(folder, 'read');
  expect(await run(['ingest', 'users', users, '--data', data])).toMatchObject({ status: 0 });
  // As a process leaves it that was killed.
  writeFileSync(join(data, 'owner.json'), JSON.stringify({ pid: 999_999, command: 'rebuild', since: '2026-01-01T00:00:00.000Z' }));
  const slow = 'select count(*) from (select sum(sqrt(range)) as a, range % 1000 as b from range(100_000_000_000) group by b)';
  let reader = start(['query', slow, '--data', data]);
  try {
    let ended = await run(['ingest', 'users', users, '--data', data]);
    // The reader may not have been there yet, or have found the writer there.
    for (let i = 0; i < 20 && ended.status === 0; i++) {
      writeFileSync(join(data, 'owner.json'), JSON.stringify({ pid: 999_999, command: 'rebuild', since: '2026-01-01T00:00:00.000Z' }));
      if (reader.child.exitCode !== null) reader = start(['query', slow, '--data', data]);
      ended = await run(['ingest', 'users', users, '--data', data]);
    }
    expectFailure(ended, 3, 'data_locked', new RegExp(`PID ${reader.child.pid}\\b`));
    expect(ended.stderr).not.toContain('999999');
    if (process.platform === 'linux') expect(ended.stderr).toContain('main.ts query');
  } finally {
    reader.child.kill('SIGKILL');
    await reader.ended;
  }
});

it('gives the data back before anyone else can have it', async () => {
  const instance = await openInstance(instanceOptions(join(folder, 'given-back')));
  const { staging, owner } = instance.directory;
  expect(JSON.parse(readFileSync(owner, 'utf8'))).toMatchObject({ pid: process.pid, command: 'faults' });
  const close = instance.engine.close.bind(instance.engine);
  let left: boolean[] = [];
  instance.engine.close = () => {
    // From here on these could be the next one's.
    left = [existsSync(owner), existsSync(staging)];
    return close();
  };
  await instance.close();
  expect(left).toEqual([false, false]);
});

it('lets one of several take a new directory, and each record once', async () => {
  const data = join(folder, 'raced');
  const events = join(folder, 'events.jsonl');
  const line = (user: number) => JSON.stringify({ creative_id: 'c', user_id: `u${user}`, timestamp: '2026-03-02T10:00:00Z', website: 'news.example' });
  writeFileSync(events, Array.from({ length: 500 }, (_, user) => line(user)).join('\n'));
  const all = await Promise.all(Array.from({ length: 4 }, () => run(['ingest', 'ad-impressions', events, '--data', data])));
  const took = all.filter(({ status }) => status === 0);
  expect(took.length).toBeGreaterThan(0);
  for (const ended of all.filter(({ status }) => status !== 0)) expectFailure(ended, 3, 'data_locked', /holds/);
  await withInstance(data, {}, async (instance) => {
    const { outcomes } = await ingestFiles(instance, [{ feed: 'ad-impressions', paths: [events] }]);
    expect(outcomes.received).toBe(0);
    expect((await readEveryTable(instance))['silver.impressions']).toHaveLength(500);
    expect(await brokenEquations(instance)).toEqual([]);
  });
});
