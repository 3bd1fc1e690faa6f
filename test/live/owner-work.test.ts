import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Instance } from '../../src/app/instance.ts';
import { OwnerWork } from '../../src/app/live/owner-work.ts';
import { rulesOf } from '../../src/app/shared-work.ts';
import { withInstance } from '../faults/open-instance.ts';
import { eventually } from './open-small-live.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-owner-work-'));
afterAll(() => rmSync(folder, { recursive: true }));

const nobody = new AbortController().signal;
const ingestOf = (instance: Instance, name: string) => {
  writeFileSync(join(folder, `${name}.csv`), `user_id\n${name}\n`);
  const rules = rulesOf(instance.settings, instance.contracts);
  return { work: 'ingest', argument: { rules, requests: [{ feed: 'users', paths: [join(folder, `${name}.csv`)] }] } };
};

it('does one thing after the other, and tells who has to wait', async () => {
  await withInstance(join(folder, 'data'), {}, async (instance) => {
    const work = new OwnerWork(instance, 1_000, () => []);
    const gate = Promise.withResolvers<void>();
    void instance.batches.alone(() => gate.promise);
    const told: unknown[] = [];
    const first = work.perform(ingestOf(instance, 'ann'), () => undefined, nobody);
    const second = work.perform(ingestOf(instance, 'bea'), (progress) => told.push(progress), nobody);
    const leaving = new AbortController();
    const third = work.perform(ingestOf(instance, 'cea'), () => undefined, leaving.signal);
    expect(told).toEqual([{ waitingForOthers: 1 }]);
    expect(work.status()).toMatchObject({ state: 'taking', waiting: 2 });
    leaving.abort();
    await expect(third).rejects.toMatchObject({ code: 'interrupted' });
    gate.resolve();
    expect([await first, await second]).toMatchObject([{ outcomes: { accepted: 1 } }, { outcomes: { accepted: 1 } }]);
    expect(work.status()).toMatchObject({ state: 'idle', waiting: 0, takenFiles: 2, takenRecords: 2 });
  });
});

it('stops what is under way when it is to end, and refuses what it does not know', async () => {
  await withInstance(join(folder, 'ending'), {}, async (instance) => {
    const work = new OwnerWork(instance, 1_000, () => []);
    await expect(work.perform({ work: 'erase', argument: {} }, () => undefined, nobody)).rejects.toMatchObject({ code: 'usage' });
    await expect(work.perform({ work: 'ingest', argument: { requests: [] } }, () => undefined, nobody)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/cannot read what it is asked to ingest: rules/),
      remedy: expect.stringContaining('same version'),
    });
    const gate = Promise.withResolvers<void>();
    void instance.batches.alone(() => gate.promise);
    const ingest = work.perform(ingestOf(instance, 'dea'), () => undefined, nobody);
    const failing = expect(ingest).rejects.toMatchObject({ code: 'interrupted' });
    const stopped = work.stop();
    await eventually(() => work.status().state === 'stopped');
    gate.resolve();
    await stopped;
    await failing;
    expect(await instance.engine.rows('select count(*) as batches from ops.batches')).toEqual([{ batches: 0n }]);
  });
});
