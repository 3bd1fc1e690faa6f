import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectSame, LANE_CASES, stage } from '../../../test/fast-lane/lane-cases.ts';
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

  it('gives memory back that huge records took, and goes on', async () => {
    const line = (more: string) => `{"creative_id":"c","user_id":"u","timestamp":"2026-03-14T09:26:53Z","website":"w.example","ext":1,${more}}\n`;
    const wide = (field: string, length: number, count: number) => line(`"${field}":"${'x'.repeat(length)}"`).repeat(count);
    const parts = [wide('user_agent', 2_000, 33_000), wide('consent_tcf', 4_000, 17_000), wide('placement_id', 5, 30_000)].map((text) => Buffer.from(text));
    const bytes = Buffer.concat(parts);
    // In pieces as files are read: the input takes little itself.
    const cuts = Array.from({ length: Math.ceil(bytes.length / 524_288) }, (_, i) => i * 524_288);
    const { rows, plain, memory, unknownFields } = await stage({ feed: 'ad-impressions', encoding: 'json', bytes, cuts }, true);
    expect(memory.most).toBeGreaterThan(256 * 2 ** 20);
    expect(memory.last).toBeLessThan(64 * 2 ** 20);
    expect(rows).toHaveLength(80_000);
    expect(plain).toBeGreaterThan(79_000);
    expect([...unknownFields]).toEqual([['ext', 80_000]]);
  }, 120_000);
});
