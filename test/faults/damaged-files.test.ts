import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IngestSummary, ingestFiles } from '../../src/app/ingest-files.ts';
import { replayQuarantine } from '../../src/app/quarantine.ts';
import type { Contract } from '../../src/contracts/contract.ts';
import { Dice } from '../encodings/mutate.ts';
import type { Tables } from '../properties/compare-tables.ts';
import type { Row } from '../reference/words.ts';
import { FORMATS, type Format, type Impression, type WrittenFile } from './damaged-formats.ts';
import { brokenEquations, readEveryTable } from './every-table.ts';
import { SHIPPED_CONTRACTS, withInstance } from './open-instance.ts';

/**
 * Files of every encoding and compression, cut and with a byte changed, from their bytes to the tables. Each has records of its
 * own, so that one ingest takes all of them and each can be looked at alone. The bugs this hunts: a crash on strange bytes, records
 * before a damage that are lost, and a damage that nobody is told of.
 */
const RECORDS = 12;
const CUTS = [0.02, 0.15, 0.35, 0.5, 0.65, 0.8, 0.95, 1];
const FLIPS = 8;
const folder = mkdtempSync(join(tmpdir(), 'advertisex-damaged-'));
const data = join(folder, 'data');
afterAll(() => rmSync(folder, { recursive: true }));

interface Damaged {
  readonly format: Format;
  readonly path: string;
  readonly records: readonly Impression[];
  readonly whole: WrittenFile;
  readonly kind: 'whole' | 'cut' | 'changed';
  /** First byte that is missing or changed. */
  readonly at: number;
}

const files: Damaged[] = [];
const contents = new Set<string>();
let summary: IngestSummary;
let tables: Tables;
const rowsOf = (table: string, file: Damaged): Row[] => (tables[table] ?? []).filter((row) => row['source'] === file.path || row['path'] === file.path);

/** The n-th record of the file: nothing of it is in any other. */
function impression(file: number, n: number): Impression {
  return {
    user_id: `user-${file}-${n}`,
    creative_id: `creative-${n}`,
    timestamp: `2026-03-02T10:00:${String(n).padStart(2, '0')}Z`,
    website: 'news.example',
    device_type: n === 5 ? 'watch' : 'mobile',
  };
}

function write(format: Format, kind: Damaged['kind'], damage: (whole: WrittenFile) => { readonly bytes: Uint8Array; readonly at: number }): void {
  const records = Array.from({ length: RECORDS }, (_, n) => impression(files.length, n));
  const whole = format.write(records);
  const { bytes, at } = damage(whole);
  // A few bytes may be the same in two files, and then the second one is known.
  if (contents.has(String(bytes))) return;
  contents.add(String(bytes));
  const path = join(folder, 'events', `${files.length}.${format.suffix}`);
  writeFileSync(path, bytes);
  files.push({ format, path, records, whole, kind, at });
}

beforeAll(async () => {
  mkdirSync(join(folder, 'events'));
  const dice = new Dice(4_711);
  for (const format of FORMATS) {
    write(format, 'whole', ({ bytes }) => ({ bytes, at: bytes.length }));
    for (const share of CUTS) {
      write(format, 'cut', ({ bytes }) => {
        const at = Math.max(1, Math.floor((bytes.length - 1) * share));
        return { bytes: bytes.slice(0, at), at };
      });
    }
    for (let flip = 0; flip < FLIPS; flip++) {
      write(format, 'changed', ({ bytes }) => {
        const at = dice.below(bytes.length);
        const changed = bytes.slice();
        changed[at] = (changed[at] as number) ^ (1 << dice.below(8));
        return { bytes: changed, at };
      });
    }
  }
  await withInstance(data, {}, async (instance) => {
    summary = await ingestFiles(instance, [{ feed: 'ad-impressions', paths: [join(folder, 'events')] }]);
    tables = await readEveryTable(instance);
    expect(await brokenEquations(instance)).toEqual([]);
  });
});

describe.each(FORMATS.map((format) => ({ name: format.name, format })))('$name', ({ format }) => {
  const of = (kind: Damaged['kind']) => files.filter((file) => file.format === format && file.kind === kind);

  it('has one outcome for each record', () => {
    for (const file of of('whole')) expect(outcomes(file)).toEqual({ received: RECORDS, accepted: RECORDS - 1, duplicate: 0, quarantined: 1 });
    for (const file of [...of('cut'), ...of('changed')]) {
      const { received, accepted, duplicate, quarantined } = outcomes(file);
      expect(accepted + duplicate + quarantined).toBe(received);
      expect(rowsOf('silver.impressions', file)).toHaveLength(accepted);
      expect(rowsOf('ops.quarantine', file)).toHaveLength(quarantined);
    }
  });

  it('that is cut has lost nothing before the cut, and says where it is', () => {
    for (const file of of('cut')) {
      const safe = safeRecords(file);
      const accepted = positions('silver.impressions', file);
      const refused = positions('ops.quarantine', file);
      expect(
        [...accepted, ...refused].sort((a, b) => a - b),
        file.path,
      ).toEqual(Array.from({ length: accepted.length + refused.length }, (_, n) => n));
      expectOriginals(file, safe);
      const [entry] = rowsOf('ops.files', file);
      const damages = rowsOf('ops.quarantine', file).filter((row) => row['code'] === 'malformed');
      // Blocks may end where the cut is: then nobody can tell.
      const endsWell = file.whole.safe.some(({ end }) => end === file.at);
      if (format.isContainer && !endsWell) {
        expect(entry?.['complete'], file.path).toBe(false);
        expect(damages, file.path).toHaveLength(1);
        expect(damages[0]).toMatchObject({ path: '', position: BigInt(accepted.length + refused.length - 1) });
        expect(damages[0]?.['message']).toMatch(/\d|inside the header/);
      } else {
        expect(damages.length).toBeLessThanOrEqual(1);
      }
    }
  });

  it('with one bit changed has lost nothing before it', () => {
    for (const file of of('changed')) {
      expectOriginals(file, safeRecords(file));
      const [entry] = rowsOf('ops.files', file);
      const damages = rowsOf('ops.quarantine', file).filter((row) => row['code'] === 'malformed');
      if (entry?.['complete'] === false) expect(damages.length, file.path).toBeGreaterThan(0);
      // A line that does not decode is one record; those after it are whole.
      if (format.name === 'JSON lines') expect(outcomes(file).accepted).toBeGreaterThanOrEqual(RECORDS - 3);
    }
  });
});

/** Records that end before the damage, by the file's own layout. */
function safeRecords(file: Damaged): number {
  return file.whole.safe.filter(({ end }) => end <= file.at).at(-1)?.records ?? 0;
}

function positions(table: string, file: Damaged): number[] {
  return rowsOf(table, file).map((row) => Number(row['position']));
}

/** The first records of the file have the outcomes that they have in the whole file, with all that they hold. */
function expectOriginals(file: Damaged, count: number): void {
  const accepted = new Map(rowsOf('silver.impressions', file).map((row) => [Number(row['position']), row]));
  const refused = new Map(rowsOf('ops.quarantine', file).map((row) => [Number(row['position']), row]));
  for (const [position, record] of file.records.slice(0, count).entries()) {
    if (record.device_type === 'watch') {
      expect(refused.get(position), `${file.path} record ${position}`).toMatchObject({ code: 'bad_enum', path: '/device_type' });
      continue;
    }
    const { user_id, creative_id, website, device_type } = record;
    expect(accepted.get(position), `${file.path} record ${position}`).toMatchObject({ user_id, creative_id, website, device_type });
  }
}

function outcomes(file: Damaged) {
  const found = summary.files.find(({ path }) => path === file.path);
  if (found === undefined) throw new Error(`${file.path} was not taken`);
  const [entry] = rowsOf('ops.files', file);
  expect(entry).toMatchObject({ done: true, complete: found.complete, records: BigInt(found.outcomes.received) });
  return found.outcomes;
}

it('are told in the books: damaged ones are not complete, and are not taken again', async () => {
  expect(new Set(files.map(({ format }) => format.name)).size).toBe(21);
  const incomplete = (tables['ops.files'] ?? []).filter((row) => row['complete'] === false);
  expect(incomplete.length).toBeGreaterThan(100);
  await withInstance(data, {}, async (instance) => {
    const again = await ingestFiles(instance, [{ feed: 'ad-impressions', paths: [join(folder, 'events')] }]);
    expect(again.batches).toEqual([]);
    expect(new Set(again.files.map(({ state }) => state))).toEqual(new Set(['known']));
  });
});

it('give the rest of their records once they come whole', async () => {
  mkdirSync(join(folder, 'repaired'));
  const cut = files.filter(({ kind }) => kind === 'cut');
  for (const [index, file] of cut.entries()) writeFileSync(join(folder, 'repaired', `${index}.${file.format.suffix}`), file.whole.bytes);
  await withInstance(data, {}, async (instance) => {
    await ingestFiles(instance, [{ feed: 'ad-impressions', paths: [join(folder, 'repaired')] }]);
    const users = new Set((await readEveryTable(instance))['silver.impressions']?.map((row) => row['user_id']));
    for (const { records, path } of cut) {
      for (const record of records) if (record.device_type !== 'watch') expect(users, path).toContain(record.user_id);
    }
    expect(await brokenEquations(instance)).toEqual([]);
  });
});

it('keep what their contract refused: it is taken once the contract takes it, and once only', async () => {
  const contracts = new Map(SHIPPED_CONTRACTS);
  const shipped = contracts.get('ad-impressions') as Contract;
  const fields = shipped.fields.map((field) => (field.name === 'device_type' ? { ...field, values: [...(field.values ?? []), 'watch'] } : field));
  contracts.set('ad-impressions', { ...shipped, version: '1.1.0', fields });
  await withInstance(data, { contracts }, async (instance) => {
    const refused = async () =>
      (await instance.engine.rows("select source from ops.quarantine where code = 'bad_enum' and replayed_at is null and violations like '%watch%'")).length;
    const waiting = await refused();
    expect(waiting).toBeGreaterThan(FORMATS.length * CUTS.length);
    const first = await replayQuarantine(instance, {});
    expect(first.accepted + first.duplicate).toBeGreaterThanOrEqual(waiting);
    expect(await refused()).toBe(0);
    expect(await brokenEquations(instance)).toEqual([]);
    // Each of the damaged and of the repaired files had one.
    const [watches] = await instance.engine.rows(
      "select count(*) as records, count(distinct user_id) as users from silver.impressions where device_type = 'watch'",
    );
    expect(watches?.['records']).toBe(watches?.['users']);
    expect(await replayQuarantine(instance, {})).toMatchObject({ accepted: 0, duplicate: 0 });
    expect(await brokenEquations(instance)).toEqual([]);
  });
});
