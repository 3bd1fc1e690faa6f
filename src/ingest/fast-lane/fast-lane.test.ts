import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { expectSame, LANE_CASES, type Source, stage } from '../../../test/fast-lane/lane-cases.ts';
import { Reader } from '../../contracts/field-plan.ts';
import { Op } from '../../encodings/avro/program.ts';
import { generateTraffic } from '../../generate/generate-traffic.ts';
import * as layout from './layout.ts';

describe('the fast lane', () => {
  it('knows the numbers of those it stands in for', () => {
    const readers = Object.entries(Reader).map(([name, number]) => [`READ_${name.toUpperCase()}`, number]);
    expect(Object.fromEntries(Object.entries(layout).filter(([name]) => name.startsWith('READ_')))).toEqual(Object.fromEntries(readers));
    const operations = Object.fromEntries(Object.entries(Op).map(([name, number]) => [`OP_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`, number]));
    for (const [name, number] of Object.entries(layout).filter(([name]) => name.startsWith('OP_'))) expect([name, number]).toEqual([name, operations[name]]);
  });

  it.each(Object.entries(LANE_CASES))(
    'makes of %s what the edge makes of them, whatever comes',
    async (_, laneCase) => {
      let taken = 0;
      for (let seed = 1; seed <= 60; seed++) taken += await laneCase(seed);
      // Most of these records are odd, but not all of them.
      expect(taken / 60).toBeGreaterThan(0.1);
    },
    120_000,
  );

  it('takes most of realistic traffic, and makes of it what the edge does', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'advertisex-fast-lane-'));
    await generateTraffic({ directory, seed: 7, startDate: '2026-03-01', impressions: 4_000 });
    for (const [feed, encoding] of [
      ['ad-impressions', 'json'],
      ['bid-requests', 'avro'],
    ] as const) {
      const [first = ''] = readdirSync(join(directory, feed)).slice(12);
      const share = await expectSame({ feed, encoding, bytes: readFileSync(join(directory, feed, first)) });
      expect(share).toBeGreaterThan(0.85);
    }
    rmSync(directory, { recursive: true });
  }, 60_000);

  it('keeps texts as they came, whether few come again and again or none ever does', async () => {
    const texts: ((i: number) => string | null)[] = [
      (i) => (i % 3 === 0 ? null : (['SE', 'DE', ''][i % 2] ?? '')),
      // As many as make the table of a dictionary grow, of all lengths around the steps in which texts are looked at.
      (i) => 'a'.repeat(i % 40) + (i % 3_000),
      // Few at first, then a new one a record.
      (i) => (i < 40_000 ? `few-${i % 7}` : `new-${i}`),
      (i) => (i % 5 === 0 ? null : `one-${i}`),
    ];
    const names = ['placement_id', 'user_agent', 'auction_id', 'impression_id'];
    // More than a segment holds: the next one begins with an empty dictionary.
    const lines = Array.from({ length: 90_000 }, (_, i) =>
      JSON.stringify({
        creative_id: `c${i % 500}`,
        user_id: `u${i}`,
        timestamp: '2026-03-14T09:26:53Z',
        website: 'w.example',
        ...Object.fromEntries(names.map((name, n) => [name, texts[n]?.(i)])),
      }),
    );
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const source: Source = { feed: 'ad-impressions', encoding: 'json', bytes, cuts: everyHalfMegabyte(bytes) };
    const [fast, slow] = [await stage(source, true), await stage(source, false)];
    expect(fast.plain).toBeGreaterThan(80_000);
    expect(fast.rows).toHaveLength(slow.rows.length);
    // A row's number in the batch alone may be another one. Compared one by one: to show how so many differ takes all memory.
    const other = slow.rows.findIndex((row, index) => !isDeepStrictEqual({ ...row, stage_row: 0 }, { ...fast.rows[index], stage_row: 0 }));
    expect([slow.rows[other], fast.rows[other]]).toEqual([undefined, undefined]);
  }, 120_000);

  it('may start in the middle of a chunk, whose rows until then are a segment of their own', async () => {
    const line = (i: number) =>
      `{"creative_id":"c${i % 5}","user_id":"u","timestamp":"2026-03-14T09:26:53Z","website":"w.example","placement_id":"${PLACES[i % 3]}${i}"}\n`;
    const lines = Array.from({ length: 5_000 }, (_, i) => line(i));
    const bytes = Buffer.from(lines.join(''));
    const cut = lines.slice(0, 1_000).join('').length;
    const source: Source = { feed: 'ad-impressions', encoding: 'json', bytes, cuts: [cut], chunkRecords: 2_000, worthBytes: cut + 1 };
    const [fast, slow] = [await stage(source, true), await stage(source, false)];
    expect(fast.rows).toEqual(slow.rows);
    expect(fast.plain).toBeGreaterThan(2_000);
    expect(fast.books.map(({ segments }) => segments.map(({ rows }) => rows))).toEqual([[1_000, 1_000], [2_000], [1_000]]);
  });

  it('gives memory back that huge records took, and goes on', async () => {
    const line = (more: string) => `{"creative_id":"c","user_id":"u","timestamp":"2026-03-14T09:26:53Z","website":"w.example","ext":1,${more}}\n`;
    const wide = (field: string, length: number, count: number) =>
      Array.from({ length: count }, (_, i) => line(`"${field}":"${`${i}`.padEnd(length, 'x')}"`)).join('');
    const parts = [wide('consent_tcf', 4_000, 20_000), wide('placement_id', 5, 60_000)].map((text) => Buffer.from(text));
    const bytes = Buffer.concat(parts);
    const { rows, plain, memory, unknownFields } = await stage({ feed: 'ad-impressions', encoding: 'json', bytes, cuts: everyHalfMegabyte(bytes) }, true);
    expect(memory.most).toBeGreaterThan(128 * 2 ** 20);
    expect(memory.last).toBeLessThan(128 * 2 ** 20);
    expect(rows).toHaveLength(80_000);
    expect(plain).toBeGreaterThan(79_000);
    expect([...unknownFields]).toEqual([['ext', 80_000]]);
  }, 120_000);
});

/** In pieces as files are read: the input takes little memory itself. */
function everyHalfMegabyte(bytes: Uint8Array): number[] {
  return Array.from({ length: Math.ceil(bytes.length / 524_288) }, (_, i) => i * 524_288);
}

/** The last one is not plain. */
const PLACES = ['a', 'b', '\\u0063'];
