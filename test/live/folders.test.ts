import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ingestFiles, ingestSources } from '../../src/app/ingest-files.ts';
import type { Instance } from '../../src/app/instance.ts';
import { SourceFiles } from '../../src/app/source-files.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { eventually, openSmallLive } from './open-small-live.ts';
import { openSmallSources } from './open-small-sources.ts';
import { numbered } from './take-until-killed.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-folders-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.restoreAllMocks());

let name = 0;
let data: string;
let incoming: string;
beforeEach(() => {
  data = join(folder, `${++name}`, 'data');
  incoming = join(folder, `${name}`, 'in');
  mkdirSync(incoming, { recursive: true });
});

const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => numbered(from + index)).join('');
const put = (file: string, content: string | Uint8Array) => writeFileSync(join(incoming, file), content);
const count = async (instance: Instance, what = 'silver.impressions') =>
  Number((await instance.batches.alone(() => instance.engine.rows(`select count(*) as n from ${what}`)))[0]?.['n']);
/** Every tenth is refused. */
const accepted = (records: number) => records - Math.floor(records / 10);

describe('a watched folder', () => {
  it('takes what is there and what comes, each content once, thousands of small files in few batches', async () => {
    for (let file = 0; file < 300; file++) put(`${file}.jsonl`, lines(10 * file, 10 * file + 10));
    put('again.jsonl', lines(0, 10));
    put('not-yet.jsonl.part', lines(5_000, 5_010));
    await withInstance(data, {}, async (instance) => {
      const { stop, of } = await openSmallSources(instance, [{ feed: 'ad-impressions', path: incoming }]);
      await eventually(async () => (await count(instance)) === accepted(3_000));
      put('more.jsonl', lines(3_000, 3_020));
      renameSync(join(incoming, 'not-yet.jsonl.part'), join(incoming, 'now.jsonl'));
      await eventually(async () => (await count(instance)) === accepted(3_030));
      await eventually(() => of('/in').state === 'idle');
      expect(of('/in')).toMatchObject({ takenFiles: 302, takenRecords: 3_030, waiting: 0 });
      expect(await count(instance, 'ops.batches')).toBeLessThan(8);
      expect(await count(instance, 'ops.ledger where duplicate > 0')).toBe(0);
      await stop();
      expect(await brokenEquations(instance)).toEqual([]);
      expect(readdirSync(instance.directory.staging)).toEqual([]);
    });
  });

  it('takes a cut file up to the cut, says so, and takes it anew when it is whole', async () => {
    const whole = gzipSync(lines(0, 500), { level: 0 });
    put('day.jsonl.gz', whole.subarray(0, whole.length / 2));
    await withInstance(data, {}, async (instance) => {
      const { stop, told } = await openSmallSources(instance, [{ feed: 'ad-impressions', path: incoming }]);
      await eventually(() => told.length > 0);
      expect(told[0]?.message).toMatch(/day\.jsonl\.gz is damaged or cut/);
      expect(await count(instance, 'ops.files where not complete')).toBe(1);
      put('day.jsonl.gz', whole);
      await eventually(async () => (await count(instance)) === accepted(500));
      await eventually(() => told.length > 1);
      expect(told[1]?.message).toMatch(/has changed since it was taken.*\d+ of its 500 records are duplicates/);
      await stop();
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('takes a file that grew after it was taken as the new content that it is: what was taken before are duplicates', async () => {
    put('log.jsonl', lines(0, 9));
    await withInstance(data, {}, async (instance) => {
      const { stop, told, of } = await openSmallSources(instance, [{ feed: 'ad-impressions', path: incoming }]);
      await eventually(() => of('/in').takenFiles === 1);
      appendFileSync(join(incoming, 'log.jsonl'), lines(20, 29));
      await eventually(() => of('/in').takenFiles === 2);
      expect(told).toEqual([{ source: incoming, level: 'note', message: expect.stringContaining('9 of its 18 records are duplicates') }]);
      await stop();
      expect(await count(instance)).toBe(18);
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  // Linux has a file that says it can be read, and cannot, for any user.
  it.skipIf(process.platform !== 'linux')('passes over a file that cannot be read, and takes the others; and itself once it changes', async () => {
    put('good.jsonl', lines(0, 9));
    symlinkSync('/proc/self/mem', join(incoming, 'poison.jsonl'));
    await withInstance(data, {}, async (instance) => {
      const { stop, told, of } = await openSmallSources(instance, [{ feed: 'ad-impressions', path: incoming }]);
      await eventually(() => of('/in').takenFiles === 1 && told.length === 1);
      expect(told[0]).toMatchObject({ level: 'warning', message: expect.stringMatching(/poison\.jsonl cannot be read: EIO/) });
      expect(of('/in')).toMatchObject({ refusedFiles: 1, trouble: expect.stringContaining('poison') });
      put('another.jsonl', lines(10, 19));
      await eventually(() => of('/in').takenFiles === 2);
      rmSync(join(incoming, 'poison.jsonl'));
      put('poison.jsonl', lines(20, 29));
      await eventually(() => of('/in').takenFiles === 3 && of('/in').refusedFiles === 0);
      expect(told.length).toBe(1);
      await stop();
      expect(await count(instance)).toBe(27);
    });
  });

  it('takes a file that could not be read for a while once it can be, and says once that it cannot', async () => {
    const path = join(incoming, 'a.jsonl');
    put('a.jsonl', lines(0, 9));
    const open = files.open;
    let tries = 0;
    files.open = async (...given) => {
      if (given[0] !== path || ++tries > 3) return open(...given);
      throw Object.assign(new Error('ESTALE: stale file handle, open'), { code: 'ESTALE', syscall: 'open' });
    };
    syncBuiltinESMExports();
    try {
      await withInstance(data, {}, async (instance) => {
        let laterMs = 0;
        const clock = { monotonicMs: () => performance.now() + laterMs };
        const { stop, told, of } = await openSmallSources(instance, [{ feed: 'ad-impressions', path: incoming }], undefined, {}, clock);
        await eventually(() => of('/in').refusedFiles === 1);
        await eventually(() => of('/in').state === 'idle');
        expect([tries, of('/in').waiting]).toEqual([1, 0]);
        for (const waitMs of [10_000, 20_000, 40_000]) {
          const before = tries;
          laterMs += waitMs;
          await eventually(() => tries > before && of('/in').state === 'idle');
        }
        await eventually(() => of('/in').takenFiles === 1);
        expect(of('/in')).toMatchObject({ refusedFiles: 0, trouble: '' });
        expect(told.map(({ message }) => message)).toEqual([expect.stringMatching(/a\.jsonl cannot be read: ESTALE.*tried again now and then/)]);
        await stop();
        expect(await count(instance)).toBe(9);
      });
    } finally {
      files.open = open;
      syncBuiltinESMExports();
    }
  });

  it('comes later, goes, and comes back: it is told once, and looked for', async () => {
    rmSync(incoming, { recursive: true });
    await withInstance(data, {}, async (instance) => {
      const { stop, told, of } = await openSmallSources(instance, [{ feed: 'ad-impressions', path: incoming }]);
      await eventually(() => of('/in').state === 'failing');
      mkdirSync(incoming);
      put('a.jsonl', lines(0, 9));
      await eventually(() => of('/in').takenFiles === 1);
      rmSync(incoming, { recursive: true });
      await eventually(() => of('/in').state === 'failing');
      mkdirSync(incoming);
      put('b.jsonl', lines(10, 19));
      await eventually(() => of('/in').takenFiles === 2);
      expect(told.map(({ message }) => message.replace(incoming, 'IN'))).toEqual([
        expect.stringContaining('There is no folder IN'),
        'IN can be read again.',
        expect.stringContaining('There is no folder IN'),
        'IN can be read again.',
      ]);
      await stop();
    });
  });

  it.each([
    ['move', ['_damaged', '_taken']],
    ['delete', ['cut.csv']],
  ] as const)('puts away what it has taken (%s), and never deletes what is damaged', async (after, left) => {
    mkdirSync(join(incoming, 'sub'));
    put('whole.csv', 'user_id\na\n');
    put('sub/whole.csv', 'user_id\nb\n');
    put('cut.csv', 'user_id\nc\n"d');
    mkdirSync(join(incoming, '_taken'));
    put('_taken/whole.csv', 'an earlier one');
    if (after === 'delete') rmSync(join(incoming, '_taken'), { recursive: true });
    await withInstance(data, {}, async (instance) => {
      const { stop, of } = await openSmallSources(instance, [{ feed: 'users', path: incoming, after }]);
      await eventually(() => of('/in').takenFiles === 3 && !existsSync(join(incoming, 'whole.csv')) && !existsSync(join(incoming, 'sub/whole.csv')));
      await eventually(() => after === 'delete' || existsSync(join(incoming, '_damaged/cut.csv')));
      await stop();
      expect(readdirSync(incoming).filter((entry) => entry !== 'sub')).toEqual(left);
      if (after === 'move')
        expect(readdirSync(join(incoming, '_taken'), { recursive: true }).sort()).toEqual(['sub', 'sub/whole.csv', 'whole.csv', 'whole.csv.1']);
    });
  });
});

it.each(['move', 'delete'] as const)(
  'a file that changes while it is taken is left where it is (%s), which is said, until it is taken as it is',
  async (after) => {
    put('a.csv', 'user_id\nann\n');
    let isTaken = false;
    const onStep = (step: string) => {
      if (step !== 'books' || isTaken) return;
      isTaken = true;
      appendFileSync(join(incoming, 'a.csv'), 'bea\n');
    };
    await withInstance(data, { onStep }, async (instance) => {
      const { stop, told, of } = await openSmallSources(instance, [{ feed: 'users', path: incoming, after }]);
      await eventually(() => of('/in').takenFiles === 2 && !existsSync(join(incoming, 'a.csv')));
      await stop();
      expect(told.map(({ level, message }) => [level, message.replace(incoming, 'IN')])).toEqual([
        ['note', `IN/a.csv has changed while it was taken: it is not ${after}d, and looked at anew.`],
        ['note', expect.stringMatching(/^IN\/a\.csv has changed since it was taken, and is taken anew/)],
      ]);
      expect(await count(instance, 'ref.users')).toBe(2);
    });
  },
);

/** Holds back what is to be applied until there is so much of it, so that it has to go into one batch. */
function applyTogether({ batches }: Instance, parts: number): void {
  const apply = batches.apply.bind(batches);
  const held: (() => void)[] = [];
  batches.apply = (batch) =>
    new Promise((resolve, reject) => {
      held.push(() => apply(batch).then(resolve, reject));
      if (held.length < parts) return;
      batches.apply = apply;
      void batches.alone(async () => undefined);
      for (const go of held) go();
    });
}

describe('several at the same time', () => {
  const inFolders = (...names: string[]) =>
    names.map((each) => {
      mkdirSync(join(incoming, each));
      return join(incoming, each);
    });

  it('have their records in one batch where both are ready, each with its own outcomes and its own bytes', async () => {
    const folders = inFolders('a', 'b');
    const conflict = (name: string) => numbered(0).replace('w.example', `${name}.example`);
    for (const [index, path] of folders.entries())
      writeFileSync(join(path, 'c.jsonl'), lines(100 * (index + 1), 100 * (index + 1) + 20 + index) + conflict(`o${index}`));
    await withInstance(data, {}, async (instance) => {
      const { live } = await openSmallLive(instance);
      await live.take({ feed: 'ad-impressions', encoding: 'json', delimiter: ',', body: Buffer.from(lines(0, 9)) });
      await eventually(async () => (await count(instance)) === 9);
      applyTogether(instance, 2);
      const ingests = folders.map(async (path, index) => {
        const sources = await SourceFiles.open([{ feed: 'ad-impressions', paths: [path] }], 1);
        return ingestSources(instance, sources, undefined, { lane: index + 1, batchRecords: 1_000 });
      });
      const [first, second] = await Promise.all(ingests);
      expect(first?.batches).toEqual(second?.batches);
      expect([first?.outcomes, second?.outcomes]).toEqual([
        { received: 21, accepted: 18, duplicate: 0, quarantined: 3 },
        { received: 22, accepted: 19, duplicate: 0, quarantined: 3 },
      ]);
      const conflicts = await instance.engine.rows("select source, raw from ops.quarantine where code = 'id_conflict' order by source");
      expect(conflicts.map(({ source, raw }) => [source, `${Buffer.from(raw as Uint8Array)}\n`])).toEqual(
        folders.map((path, index) => [join(path, 'c.jsonl'), conflict(`o${index}`)]),
      );
      await live.stop();
      expect(await count(instance)).toBe(9 + 18 + 19);
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('take a content that all of them have once', async () => {
    const folders = inFolders('a', 'b', 'c');
    for (const path of folders) for (let file = 0; file < 20; file++) writeFileSync(join(path, `${file}.jsonl`), lines(10 * file, 10 * file + 10));
    await withInstance(data, {}, async (instance) => {
      const { stop, sources } = await openSmallSources(
        instance,
        folders.map((path) => ({ feed: 'ad-impressions' as const, path })),
      );
      const { outcomes } = await ingestFiles(instance, [{ feed: 'ad-impressions', paths: [folders[0] as string] }]);
      await eventually(() => sources.status().every(({ waiting, state }) => waiting === 0 && state === 'idle'));
      expect(outcomes.received + sources.status().reduce((sum, { takenRecords }) => sum + takenRecords, 0)).toBe(200);
      await stop();
      expect([await count(instance), await count(instance, 'ops.quarantine'), await count(instance, 'ops.files')]).toEqual([180, 20, 20]);
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('leave a file alone that an ingest has in hand: it is asked for now and then, and not read for that', async () => {
    const [path] = inFolders('a') as [string];
    writeFileSync(join(path, 'long.jsonl'), lines(0, 100));
    await withInstance(data, {}, async (instance) => {
      const asked = vi.spyOn(SourceFiles, 'from');
      const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const apply = instance.batches.apply.bind(instance.batches);
      instance.batches.apply = async (batch) => {
        begun.resolve();
        await gate.promise;
        return apply(batch);
      };
      const ingest = ingestFiles(instance, [{ feed: 'ad-impressions', paths: [path] }]);
      await begun.promise;
      let laterMs = 0;
      const clock = { monotonicMs: () => performance.now() + laterMs };
      const { stop, of } = await openSmallSources(instance, [{ feed: 'ad-impressions', path }], undefined, {}, clock);
      await eventually(() => asked.mock.calls.length > 0 && of('/a').state === 'waiting');
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(asked.mock.calls.length).toBe(1);
      laterMs += 1_000;
      await eventually(() => asked.mock.calls.length === 2);
      expect(asked.mock.calls.flatMap(([found]) => found.map(({ sha256 }) => sha256?.length))).toEqual([undefined, 64]);
      gate.resolve();
      await ingest;
      laterMs += 2_000;
      await eventually(() => of('/a').state === 'idle');
      expect(of('/a')).toMatchObject({ waiting: 0, takenFiles: 0 });
      await stop();
      expect(await count(instance)).toBe(accepted(100));
    });
  });

  it('are told apart where they watch one folder', async () => {
    put('users.csv', 'user_id\nann\n');
    put('a.jsonl', lines(0, 9));
    await withInstance(data, {}, async (instance) => {
      const { stop, of, sources } = await openSmallSources(instance, [
        { feed: 'users', path: incoming, pattern: '*.csv' },
        { feed: 'ad-impressions', path: incoming, pattern: '*.jsonl' },
        { feed: 'ad-impressions', path: join(incoming, 'sub') },
      ]);
      await eventually(() => of('/in (*.csv)').takenRecords === 1 && of('/in (*.jsonl)').takenRecords === 9);
      const names = sources.status().map(({ name }) => name);
      expect(names).toContain(join(incoming, 'sub'));
      expect(new Set(names).size).toBe(names.length);
      await stop();
    });
  });
});

describe('a source whose batches fail', () => {
  it('is tried again and shown, while the others go on; and is taken once it can be', async () => {
    const users = join(incoming, 'users');
    const impressions = join(incoming, 'impressions');
    mkdirSync(users);
    mkdirSync(impressions);
    writeFileSync(join(users, 'users.csv'), 'user_id\nann\nbea\n');
    let isBroken = true;
    let failures = 0;
    const onStep = (step: string) => {
      if (step !== 'reference/users' || !isBroken) return;
      failures++;
      throw new Error('no room for users');
    };
    await withInstance(data, { onStep }, async (instance) => {
      const { live, stop, told, of } = await openSmallSources(instance, [
        { feed: 'users', path: users },
        { feed: 'ad-impressions', path: impressions },
      ]);
      await eventually(() => failures > 1);
      writeFileSync(join(impressions, 'a.jsonl'), lines(0, 9));
      await live.take({ feed: 'ad-impressions', encoding: 'json', delimiter: ',', body: Buffer.from(lines(10, 19)) });
      await eventually(async () => (await count(instance)) === 18);
      await eventually(() => of('/impressions').takenFiles === 1);
      expect(of('/users')).toMatchObject({ state: 'failing', trouble: 'no room for users', waiting: 1 });
      expect(of('/impressions')).toMatchObject({ takenFiles: 1, trouble: '' });
      expect(told.every(({ source, message }) => source === users && /no room for users. It is tried again in \d+ s/.test(message))).toBe(true);
      expect(live.troubles).toEqual([]);
      isBroken = false;
      await eventually(async () => (await count(instance, 'ref.users')) === 2);
      await eventually(() => of('/users').trouble === '' && of('/users').state === 'idle');
      await stop();
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });
});

describe('currency rates', () => {
  it('of a folder are used for what comes live afterwards, and those that come live for the files of a folder', async () => {
    const rates = join(incoming, 'rates');
    const impressions = join(incoming, 'impressions');
    mkdirSync(rates);
    mkdirSync(impressions);
    const priced = (id: string, currency: string) =>
      `${JSON.stringify({ impression_id: id, creative_id: 'k', user_id: 'u', timestamp: '2026-03-02T10:00:00Z', website: 'w.example', price: '2.00', currency })}\n`;
    await withInstance(data, {}, async (instance) => {
      const { live, stop } = await openSmallSources(instance, [
        { feed: 'currency-rates', path: rates },
        { feed: 'ad-impressions', path: impressions },
      ]);
      const take = (feed: 'ad-impressions' | 'currency-rates', encoding: 'json' | 'csv', text: string) =>
        live.take({ feed, encoding, delimiter: ',', body: Buffer.from(text) });
      await take('ad-impressions', 'json', priced('before', 'EUR'));
      writeFileSync(join(rates, 'eur.csv'), 'rate_date,currency,rate\n2026-03-02,EUR,1.5\n');
      let tries = 0;
      await eventually(async () => {
        await take('ad-impressions', 'json', priced(`live-${tries++}`, 'EUR'));
        return (await count(instance)) > 0;
      });
      await take('currency-rates', 'csv', 'rate_date,currency,rate\n2026-03-02,GBP,2\n');
      await eventually(async () => (await count(instance, "ref.currency_rates where currency = 'GBP'")) === 1);
      writeFileSync(join(impressions, 'gbp.jsonl'), priced('file', 'GBP'));
      await eventually(async () => (await count(instance, "silver.impressions where impression_id = 'file'")) === 1);
      await stop();
      expect(await count(instance, "silver.impressions where impression_id = 'file' and price_cpm_micros = 4000000")).toBe(1);
    });
  });
});
