import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ingestFiles } from '../../../src/app/ingest-files.ts';
import type { Instance } from '../../../src/app/instance.ts';
import { exportInstanceLake } from '../../../src/app/write-lake.ts';
import { readManifest } from '../../../src/lake/lake-manifest.ts';
import { withInstance } from '../open-instance.ts';
import { callsFor, makeSmallDay } from '../small-day.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-lake-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The day whose rows stand in the lake under each `dt`, where it is no column of that name. */
const DAY_OF: Readonly<Record<string, string>> = {
  'gold.attribution': 'conversion_date',
  'gold.campaign_hourly': 'cast(hour as date)',
};

/** Rows that a table has and its files have not, or the other way round, or under another day; by table. */
async function differences({ engine, directory }: Instance): Promise<Record<string, number>> {
  const manifest = await readManifest(directory.lake);
  const found: Record<string, number> = {};
  for (const { name, divided, files } of manifest?.tables ?? []) {
    if (files.length === 0) continue;
    const byDay = divided === 'by_day';
    const lake = `read_parquet('${directory.lake}/${name}/${byDay ? '*/' : ''}*.parquet', hive_partitioning = ${byDay}${byDay ? ", hive_types = {'dt': date}" : ''})`;
    const table = byDay ? `select *, ${DAY_OF[name] ?? 'report_date'} as dt from ${name}` : `select * from ${name}`;
    const [row] = await engine.rows<{ rows: bigint }>(
      `select (select count(*) from (${table} except all select * from ${lake})) + (select count(*) from (select * from ${lake} except all ${table})) as rows`,
    );
    found[name] = Number(row?.rows);
  }
  return found;
}

describe('the lake', () => {
  it('has the rows of every table under their days, as batches come and change them', async () => {
    const traffic = join(folder, 'traffic');
    await makeSmallDay(traffic);
    await withInstance(join(folder, 'rows'), { batchRecords: 400 }, async (instance) => {
      for (const requests of callsFor(traffic)) {
        await ingestFiles(instance, requests);
        await exportInstanceLake(instance);
        for (const [table, rows] of Object.entries(await differences(instance))) expect([table, rows]).toEqual([table, 0]);
      }
      expect(Object.keys(await differences(instance)).length).toBeGreaterThan(12);
    });
  });

  it('takes the file of an archived day as it is, and shares no fate with it', async () => {
    const traffic = join(folder, 'more traffic');
    await makeSmallDay(traffic);
    await withInstance(join(folder, 'archived'), {}, async (instance) => {
      for (const requests of callsFor(traffic)) await ingestFiles(instance, requests);
      await exportInstanceLake(instance);
      const parts = await instance.engine.rows<{ table_name: string; day: string; file: string }>(
        'select table_name, cast(day as varchar) as day, file from store.archive_parts',
      );
      const copied = new Set<string>();
      for (const { table_name, day, file } of parts) {
        const part = join(instance.directory.archive, file);
        const copy = join(instance.directory.lake, `silver.${table_name}/dt=${day}/part-0.parquet`);
        if (readFileSync(copy).equals(readFileSync(part))) copied.add(table_name);
        expect(statSync(copy).ino).not.toBe(statSync(part).ino);
        truncateSync(copy, 10);
      }
      expect([...copied].sort()).toEqual(['bid_requests', 'impressions']);
      await exportInstanceLake(instance);
      expect(await differences(instance)).toMatchObject({ 'silver.bid_requests': 0, 'silver.impressions': 0 });
    });
  });

  it('has an archived day without what was taken back of it, and the other days as they were', async () => {
    const impressions = join(folder, 'without-campaign.jsonl');
    const impression = (day: number, n: number) =>
      JSON.stringify({
        impression_id: `i${day}-${n}`,
        creative_id: day === 1 ? 'k' : 'other',
        user_id: 'u',
        timestamp: `2026-03-0${day}T10:00:00Z`,
        website: 'w.example',
      });
    writeFileSync(impressions, [1, 2].flatMap((day) => Array.from({ length: 9 }, (_, n) => impression(day, n))).join('\n'));
    await withInstance(join(folder, 'taken back'), {}, async (instance) => {
      await ingestFiles(instance, [{ feed: 'ad-impressions', paths: [impressions] }]);
      await exportInstanceLake(instance);
      const campaigns = ['c1', 'c2'];
      for (const campaign of campaigns) {
        const creatives = join(folder, `creatives-${campaign}.csv`);
        writeFileSync(creatives, `creative_id,campaign_id\nk,${campaign}\n`);
        await ingestFiles(instance, [{ feed: 'creatives', paths: [creatives] }]);
        await exportInstanceLake(instance);
        const days = await instance.engine.rows(
          'select cast(report_date as varchar) as day, campaign_id, count(*) as impressions from silver.impressions group by all order by day',
        );
        expect(days).toEqual([
          { day: '2026-03-01', campaign_id: campaign, impressions: 9n },
          { day: '2026-03-02', campaign_id: null, impressions: 9n },
        ]);
        expect((await differences(instance))['silver.impressions']).toBe(0);
      }
      const parts = await instance.engine.rows("select 1 as part from store.archive_parts where table_name = 'impressions'");
      expect(parts).toHaveLength(2 + campaigns.length);
    });
  });
});
