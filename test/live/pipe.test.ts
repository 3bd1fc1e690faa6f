import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import type { Instance } from '../../src/app/instance.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { eventually } from './open-small-live.ts';
import { openSmallSources } from './open-small-sources.ts';
import { numbered } from './take-until-killed.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-pipe-'));
afterAll(() => rmSync(folder, { recursive: true }));

const rows = (instance: Instance, sql: string) => instance.batches.alone(() => instance.engine.rows(sql));
const count = async (instance: Instance, what: string) => Number((await rows(instance, `select count(*) as n from ${what}`))[0]?.['n']);

it('takes what is piped in as it comes, and what is cut at its end as one malformed record', async () => {
  await withInstance(join(folder, 'json'), {}, async (instance) => {
    const { sources, input, stop, of, told } = await openSmallSources(instance, [], { feed: 'ad-impressions' });
    const first = numbered(0);
    input.write(first.slice(0, 20));
    input.write(first.slice(20));
    await eventually(async () => (await count(instance, 'silver.impressions')) === 1);
    expect(of('stdin')).toMatchObject({ state: 'taking', takenRecords: 1 });
    input.end(`${numbered(1)}${numbered(2).slice(0, 30)}`);
    await sources.pipe?.ended;
    expect(of('stdin')).toMatchObject({ state: 'ended', takenRecords: 3, trouble: '' });
    expect(told.at(-1)?.message).toBe('Standard input ended: 3 records taken, 1 of them refused.');
    await stop();
    expect(await count(instance, 'silver.impressions')).toBe(2);
    expect(await rows(instance, `select code, raw = encode('${numbered(2).slice(0, 30)}') as whole from ops.quarantine`)).toEqual([
      { code: 'malformed', whole: true },
    ]);
    expect(await brokenEquations(instance)).toEqual([]);
  });
});

it('takes CSV with its header once, compressed, and another delimiter', async () => {
  await withInstance(join(folder, 'csv'), {}, async (instance) => {
    const { sources, input, stop } = await openSmallSources(instance, [], { feed: 'users', delimiter: ';' });
    const text = `user_id;segment\n${Array.from({ length: 20_000 }, (_, user) => `u${user};"s;${user % 7}"\n`).join('')}`;
    input.end(gzipSync(text));
    await sources.pipe?.ended;
    await stop();
    expect(await rows(instance, "select count(*) as n, count(*) filter (segment = 's;3') as third from ref.users")).toEqual([{ n: 20_000n, third: 2_857n }]);
  });
});

it('says where compressed input is cut, and keeps a record of it', async () => {
  await withInstance(join(folder, 'cut'), {}, async (instance) => {
    const { sources, input, stop, told } = await openSmallSources(instance, [], { feed: 'ad-impressions' });
    const whole = gzipSync(Array.from({ length: 50 }, (_, index) => numbered(10 * index)).join(''), { level: 0 });
    input.end(whole.subarray(0, whole.length - 100));
    await sources.pipe?.ended;
    expect(told.map(({ message }) => message)).toEqual([
      expect.stringMatching(/gzip data is damaged or cut/),
      expect.stringMatching(/ended early: \d+ records taken, 1 of/),
    ]);
    await stop();
    expect(await count(instance, "ops.quarantine where code = 'malformed'")).toBe(1);
  });
});

it('is not read while the collector cannot take more', async () => {
  let isHeld = true;
  const onStep = (step: string) => {
    if (step === 'books' && isHeld) throw new Error('held up');
  };
  await withInstance(join(folder, 'held'), { onStep }, async (instance) => {
    const { sources, input, stop, of } = await openSmallSources(instance, [], { feed: 'ad-impressions' }, { waitingRecords: 1_000 });
    const chunk = Array.from({ length: 1_000 }, (_, index) => numbered(10 * index)).join('');
    let written = 0;
    const writeOn = (): void => {
      while (written < 120) {
        written++;
        if (!input.write(chunk.replaceAll('"n', `"n${written}0000`))) return void input.once('drain', writeOn);
      }
      input.end();
    };
    writeOn();
    await eventually(() => of('stdin').state === 'failing');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const whileHeld = written;
    // What is on its way, what is read ahead, and what the pipe itself holds.
    expect(whileHeld).toBeLessThan(60);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written).toBe(whileHeld);
    isHeld = false;
    await sources.pipe?.ended;
    await stop();
    expect(await count(instance, 'silver.impressions')).toBe(120_000);
  });
});

it('is not kept once it is taken', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  await withInstance(join(folder, 'let-go'), {}, async (instance) => {
    const { sources, input, stop, of } = await openSmallSources(instance, [], { feed: 'ad-impressions' });
    const chunks: WeakRef<ArrayBufferLike>[] = [];
    const write = (index: number): void => {
      const chunk = Uint8Array.from(Buffer.from(numbered(10 * index + 1)));
      chunks.push(new WeakRef(chunk.buffer));
      input.write(chunk);
    };
    for (let index = 0; index < 50; index++) {
      write(index);
      await eventually(() => of('stdin').takenRecords === index + 1);
    }
    const held = () => chunks.filter((bytes) => bytes.deref() !== undefined).length;
    // What is looked at is not collected before the next turn.
    await eventually(async () => {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 10));
      return held() < 5;
    }, 2_000);
    input.end();
    await sources.pipe?.ended;
    await stop();
  });
});

it('stops where it is: whole records are taken, and the beginning of one is told', async () => {
  await withInstance(join(folder, 'stopped'), {}, async (instance) => {
    const { input, stop, told, of } = await openSmallSources(instance, [], { feed: 'ad-impressions' });
    input.write(`${numbered(1)}${numbered(2)}{"impression_id`);
    await eventually(() => of('stdin').takenRecords === 2);
    await stop();
    expect(told).toEqual([{ source: 'stdin', level: 'warning', message: expect.stringMatching(/^15 bytes of standard input were no whole record yet/) }]);
    expect([await count(instance, 'silver.impressions'), await count(instance, 'ops.quarantine')]).toEqual([2, 0]);
    expect(input.destroyed).toBe(true);
  });
});

it('is not read behind what cannot be decoded', async () => {
  await withInstance(join(folder, 'damaged'), {}, async (instance) => {
    const { sources, input, stop, told } = await openSmallSources(instance, [], { feed: 'ad-impressions', encoding: 'avro' });
    input.write('this is no Avro file');
    await sources.pipe?.ended;
    expect(told[0]?.message).toMatch(/cannot be decoded any further/);
    expect(input.destroyed).toBe(true);
    await stop();
    expect(await count(instance, "ops.quarantine where code = 'malformed'")).toBe(1);
  });
});
