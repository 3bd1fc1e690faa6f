import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import { bufferHost } from './buffer-host.ts';

/**
 * One small day, from its files to its figures, by commands alone. Each step stands on the one before it, as a user's do.
 */
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-commands-'));
  mkdirSync(join(folder, 'logs'));
  write('campaigns.csv', ['campaign_id,name,pricing_model,rate', 'spring,Spring sale,cpc,0.50'].join('\n'));
  write('creatives.csv', ['creative_id,campaign_id', 'banner-1,spring'].join('\n'));
  const impression = (minute: number, more: object = {}) =>
    JSON.stringify({ timestamp: `2026-03-01T10:${minute}:00Z`, user_id: 'ann', creative_id: 'banner-1', website: 'https://www.news.example/a', ...more });
  write(
    'logs/a.jsonl',
    [impression(10), impression(20), impression(10), impression(30, { price: 'free' }), impression(31, { price: 2, currency: 'EUR' })].join('\n'),
  );
  write('logs/b.jsonl', impression(40, { user_id: 'bea' }));
  write(
    'responses.csv',
    [
      'timestamp;user_id;campaign_id;conversion_type;value',
      '2026-03-01 10:50:00;ann;spring;click;',
      '2026-03-01 11:50:00;ann;spring;purchase;12.50',
      '2026-03-01 11:55:00;cem;;purchase;1',
    ].join('\n'),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), `${text}\n`);
}

async function run(words: string[], given: { stdin?: string; signal?: AbortSignal } = {}) {
  const host = bufferHost({
    workingDirectory: folder,
    clock: () => Date.UTC(2026, 2, 2) * 1_000,
    stdin: Readable.from(given.stdin === undefined ? [] : [Buffer.from(given.stdin)]),
    ...(given.signal === undefined ? {} : { signal: given.signal }),
  });
  const exit = await runCommandLine(words, host);
  return { exit, out: host.out(), err: host.err() };
}

async function json<T = Record<string, unknown>[]>(...words: string[]): Promise<T> {
  const { exit, out, err } = await run([...words, '--format', 'json']);
  expect({ words, exit, err: exit > 1 ? err : '' }).toEqual({ words, exit, err: '' });
  return JSON.parse(out) as T;
}

describe('before anything was ingested', () => {
  it.each([['report', 'campaigns'], ['status'], ['recon'], ['query', 'select 1']])('%s says that there is no data, and what to do', async (...words) => {
    const { exit, out, err } = await run(words);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toMatch(/^Error: There is no data .*\nNext: .*ingest.*\[not_found\]\n$/);
  });

  it('doctor finds nothing wrong with that', async () => {
    expect((await json('doctor')).filter(({ state }) => state !== 'ok')).toEqual([]);
  });
});

describe('ingest', () => {
  it('takes reference data, folders, other delimiters and standard input', async () => {
    expect((await run(['ingest', 'campaigns', 'campaigns.csv'])).exit).toBe(0);
    const piped = await run(['ingest', 'creatives', '-', '--format', 'csv'], { stdin: readFileSync(join(folder, 'creatives.csv'), 'utf8') });
    expect(piped).toMatchObject({ exit: 0, out: expect.stringContaining('stdin,taken,1,1,0,0') });

    const taken = await json<{ files: { path: string }[]; outcomes: object }>('ingest', 'ad-impressions', 'logs');
    expect(taken.files.map(({ path }) => path)).toEqual([join(folder, 'logs/a.jsonl'), join(folder, 'logs/b.jsonl')]);
    expect(taken.outcomes).toEqual({ received: 6, accepted: 3, duplicate: 1, quarantined: 2 });

    const responses = await run(['ingest', 'clicks-conversions', 'responses.csv', '--delimiter', ';']);
    expect(responses).toMatchObject({ exit: 0, out: expect.stringMatching(/responses\.csv +taken +3 +3 +0 +0\n$/) });
  });

  it('leaves alone what was taken', async () => {
    const { exit, out, err } = await run(['ingest', 'ad-impressions', 'logs/*.jsonl']);
    expect(exit).toBe(0);
    expect(out).toMatch(/a\.jsonl +known/);
    expect(err).toContain('nothing changed');
  });

  it('takes several feeds at once, reference data first, and writes the lake once', async () => {
    const words = ['ingest', 'ad-impressions', 'logs', 'creatives', '-', 'campaigns', 'campaigns.csv', '--data', 'at-once'];
    const { exit, out } = await run([...words, '--format', 'json'], { stdin: readFileSync(join(folder, 'creatives.csv'), 'utf8') });
    expect(exit).toBe(0);
    const taken = JSON.parse(out) as { files: { feed: string; outcomes: { accepted: number } }[]; batches: number[]; restated: number };
    expect(taken.files.map(({ feed, outcomes }) => [feed, outcomes.accepted])).toEqual([
      ['campaigns', 1],
      ['creatives', 1],
      ['ad-impressions', 2],
      ['ad-impressions', 1],
    ]);
    // One batch of what events are resolved with, one of events: nothing was to be said again.
    expect([taken.batches, taken.restated]).toEqual([[1, 2], 0]);
    expect(existsSync(join(folder, 'at-once/lake/silver.impressions/dt=2026-03-01/part-0.parquet'))).toBe(true);
  });

  it.each([
    [['ingest', 'campaigns', 'campaigns.csv', 'ad-impressions'], 2, /No path stands after the feed ad-impressions.*\.\/ad-impressions.*\[usage\]/s],
    [
      ['ingest', 'campaigns', 'campaigns.csv', 'ad-impresions', 'logs'],
      3,
      /no file, folder or feed called ad-impresions.*bid-requests.*\[source_unreadable\]/s,
    ],
    [['ingest', 'campaigns', '-', 'users', '-'], 2, /more than one feed.*\[usage\]/s],
    [['ingest', 'campaigns', 'campaigns.csv', 'ad-impressions', 'logs', '--encoding', 'csv'], 2, /--encoding.*one feed.*\[usage\]/s],
    [['ingest', 'campaigns', 'campaigns.csv', 'clicks-conversions', 'responses.csv', '--delimiter', ';'], 2, /--delimiter.*one feed.*\[usage\]/s],
    [['ingest', 'ad-impresions', 'logs'], 2, /ad-impresions.*ad-impressions, clicks-conversions/s],
    [['ingest', 'ad-impressions'], 2, /missing required argument 'path'/i],
    [['ingest', 'ad-impressions', 'nowhere'], 3, /nowhere.*\[source_unreadable\]/s],
    [['ingest', 'ad-impressions', 'gs://bucket/logs'], 3, /gs:\/\/bucket\/logs cannot be read.*\[source_unreadable\]/s],
    [['ingest', 'ad-impressions', 's3:///logs'], 2, /s3:\/\/\/logs names no bucket.*\[usage\]/s],
    [['ingest', 'users', 'logs', '--delimiter', ';;'], 2, /delimiter.*\[usage\]/s],
  ])('%j exits with %i and says why', async (words, exit, message) => {
    expect(await run(words)).toMatchObject({ exit, out: '', err: expect.stringMatching(message) });
  });

  it('stops when it is asked to, and says how to go on', async () => {
    const stopping = new AbortController();
    stopping.abort();
    const { exit, err } = await run(['ingest', 'ad-impressions', 'logs'], { signal: stopping.signal });
    expect(exit).toBe(3);
    expect(err).toMatch(/Run the same command again.*\[interrupted\]/);
  });
});

describe('the figures', () => {
  it('of the campaign are those of its records', async () => {
    const report = await json('report', 'campaigns');
    const spring = report.find(({ campaign_id }) => campaign_id === 'spring');
    expect(await json('report', 'campaigns', '--campaign', 'spring')).toEqual([spring]);
    expect(spring).toMatchObject({
      name: 'Spring sale',
      pricing: 'cpc',
      impressions: 3,
      valid_impressions: 3,
      clicks: 1,
      valid_clicks: 1,
      value_micros: 12_500_000,
      spend_micros: 500_000,
      reach: 2,
    });
    expect((await run(['report', 'campaigns'])).out).toMatch(/^campaign +impressions +valid/);
  });

  it('are in the lake when an ingest ends', () => {
    expect(existsSync(join(folder, 'advertisex-data/lake/_manifest.json'))).toBe(true);
  });

  it('reconcile', async () => {
    const equations = await json<{ holds: boolean }[]>('recon');
    expect(equations.length).toBeGreaterThan(5);
    expect(equations.filter(({ holds }) => !holds)).toEqual([]);
  });

  it('can be explained', async () => {
    const [{ conversion_key } = {}] = await json('query', "select conversion_key from gold.attribution where campaign_id = 'spring'");
    const explained = await json<{ eventType: string; candidates: { touch_type: string; verdict: string }[] }>(
      'explain',
      'conversion',
      String(conversion_key).slice(0, 10),
    );
    expect(explained.eventType).toBe('conversion');
    expect(explained.candidates.map(({ touch_type, verdict }) => `${touch_type} ${verdict.split(':')[0]}`)).toEqual([
      'click credited',
      'impression dropped',
      'impression dropped',
    ]);
    expect((await run(['explain', 'conversion', String(conversion_key)])).out).toContain('a click is preferred');
  });

  it('can be read as they were', async () => {
    expect(await json('query', 'select count(*) as impressions from silver.impressions', '--as-of', '1')).toEqual([{ impressions: 0 }]);
    expect(await run(['report', 'campaigns', '--as-of', '99'])).toMatchObject({ exit: 2, err: expect.stringContaining('[not_found]') });
  });
});

describe('query', () => {
  it.each([
    ['select nothing from nowhere', /nowhere.*\[query_invalid\]/s],
    ['delete from silver.clicks', /\[query_invalid\]/],
    ['select 1; select 2', /one statement.*\[query_invalid\]/is],
  ])('refuses `%s`', async (sql, message) => {
    expect(await run(['query', sql])).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(message) });
  });

  it('keeps 64-bit integers exact', async () => {
    expect(await json('query', 'select 9007199254740993::bigint as big, 5::bigint as small')).toEqual([{ big: '9007199254740993', small: 5 }]);
  });
});

describe('quarantine', () => {
  it('lists, counts and shows what was refused', async () => {
    const records = await json('quarantine', 'list');
    expect(records.map(({ code, path }) => `${String(code)} ${String(path)}`).sort()).toEqual(['bad_number /price', 'unknown_currency /currency']);
    expect((await json('quarantine', 'list', '--summary', '--code', 'bad_number')).map(({ records: count }) => count)).toEqual([1]);
    const id = String(records.find(({ code }) => code === 'bad_number')?.quarantine_id);
    const shown = await json<Record<string, unknown>>('quarantine', 'show', id.slice(0, 8));
    expect(JSON.parse(String(shown.raw))).toMatchObject({ price: 'free' });
    expect((await run(['quarantine', 'show', id, '--raw'])).out).toContain('"price":"free"');
    expect((await run(['quarantine', 'show', id])).out).toMatch(/bad_number +\/price/);
  });

  it('puts records through again once the cause is gone', async () => {
    write('rates.csv', ['rate_date,currency,rate', '2026-03-01,EUR,1.10'].join('\n'));
    expect((await run(['ingest', 'currency-rates', 'rates.csv'])).exit).toBe(0);
    expect(await json<object>('quarantine', 'replay', '--code', 'unknown_currency')).toMatchObject({ replayed: 1, accepted: 1, stillQuarantined: 0 });
    expect(await json<object>('quarantine', 'replay')).toMatchObject({ replayed: 1, accepted: 0, stillQuarantined: 1 });
    expect(await json('query', "select price_cpm_micros from silver.impressions where currency = 'EUR'")).toEqual([{ price_cpm_micros: 2_200_000 }]);
    expect((await json('quarantine', 'list')).map(({ code }) => code)).toEqual(['bad_number']);
    expect(await json('quarantine', 'list', '--all')).toHaveLength(2);
  });
});

describe('what is derived', () => {
  it('can be made anew, with other settings too', async () => {
    write('advertisex.yaml', 'attribution:\n  click_window_seconds: 60');
    expect(await run(['ingest', 'ad-impressions', 'logs'])).toMatchObject({
      exit: 3,
      err: expect.stringMatching(/click_window_seconds.*rebuild.*\[data_version\]/s),
    });
    expect((await json<{ restated: number }>('rebuild')).restated).toBeGreaterThan(0);
    expect(await json('query', "select touch_type from gold.attribution where user_id = 'ann'")).toEqual([
      { touch_type: 'impression' },
      { touch_type: 'impression' },
      { touch_type: 'impression' },
    ]);
    expect((await json<{ holds: boolean }[]>('recon')).every(({ holds }) => holds)).toBe(true);
  });

  it('goes to the lake', async () => {
    const exported = await json<{ tables: { name: string; rows: number }[] }>('lake', 'export');
    expect(exported.tables.find(({ name }) => name === 'silver.impressions')).toMatchObject({ rows: 4 });
    expect(existsSync(join(folder, 'advertisex-data/lake'))).toBe(true);
    expect((await run(['lake', 'compact'])).exit).toBe(0);
  });

  it('is told by status', async () => {
    const status = await json<{ batches: number; feeds: { feed: string; received: number }[] }>('status');
    expect(status.batches).toBeGreaterThan(4);
    expect(status.feeds.find(({ feed }) => feed === 'ad-impressions')?.received).toBeGreaterThanOrEqual(6);
    expect((await run(['status'])).out).toContain('lake: up to date');
  });
});

describe('contract', () => {
  it('checks and compares', async () => {
    expect(await json<object>('contract', 'check')).toMatchObject({ valid: true });
    expect((await run(['init', 'other'])).exit).toBe(0);
    expect(await run(['contract', 'diff', 'other/contracts'])).toMatchObject({ exit: 0, err: expect.stringContaining('same') });
    const path = join(folder, 'other/contracts/users.odcs.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('maxLength: 32', 'maxLength: 3'));
    const diff = await run(['contract', 'diff', join(folder, 'other/contracts'), '--format', 'json']);
    expect(JSON.parse(diff.out)).toContainEqual(expect.objectContaining({ feed: 'users', field: 'age', kind: 'length_widened', breaksReaders: false }));
    writeFileSync(path, 'kind: nothing');
    expect(await run(['contract', 'check', 'other/contracts'])).toMatchObject({ exit: 1, out: expect.stringMatching(/users\.odcs\.yaml:1: /) });
  });
});

describe('a field that the contract learns', () => {
  it('becomes a column, and nothing else changes', async () => {
    expect((await run(['init'])).exit).toBe(0);
    // `advertisex.yaml` is there already, and says nothing of contracts yet.
    write('advertisex.yaml', 'instance:\n  contracts: contracts\nattribution:\n  click_window_seconds: 60');
    const path = join(folder, 'contracts/ad-impressions.odcs.yaml');
    writeFileSync(
      path,
      `${readFileSync(path, 'utf8').trimEnd()}\n      - { name: slot_size, logicalType: string, logicalTypeOptions: { maxLength: 16 }, required: false }\n`,
    );
    const before = await json('query', 'select event_key, price_cpm_micros from silver.impressions order by event_key');
    write(
      'logs/c.jsonl',
      JSON.stringify({ timestamp: '2026-03-01T12:00:00Z', user_id: 'dee', creative_id: 'banner-1', website: 'news.example', slot_size: '300x250' }),
    );
    expect(await json<object>('ingest', 'ad-impressions', 'logs/c.jsonl')).toMatchObject({ outcomes: { accepted: 1, quarantined: 0 } });
    expect(await json('query', "select user_id, slot_size from silver.impressions where slot_size is not null or user_id = 'bea' order by user_id")).toEqual([
      { user_id: 'bea', slot_size: null },
      { user_id: 'dee', slot_size: '300x250' },
    ]);
    expect(await json('query', "select event_key, price_cpm_micros from silver.impressions where user_id <> 'dee' order by event_key")).toEqual(before);
    // The same impression, sent by a client that does not know the field yet, is still the same impression.
    write('logs/d.jsonl', ` ${readFileSync(join(folder, 'logs/b.jsonl'), 'utf8')}`);
    expect(await json<object>('ingest', 'ad-impressions', 'logs/d.jsonl')).toMatchObject({ outcomes: { received: 1, duplicate: 1 } });
  });
});
