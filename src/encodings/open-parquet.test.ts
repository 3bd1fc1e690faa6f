import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ParquetLines } from './open-parquet.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-parquet-'));
let run: (sql: string) => Promise<unknown>;
beforeAll(async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  run = (sql) => connection.run(sql);
});
afterAll(() => rmSync(folder, { recursive: true }));

let number = 0;
/** As DuckDB writes it. */
async function written(select: string, options = ''): Promise<string> {
  const path = join(folder, `${++number}.parquet`);
  await run(`copy (${select}) to '${path}' (format parquet${options})`);
  return path;
}

async function read(path: string): Promise<{ text: string; damage: string | undefined }> {
  const chunks: Uint8Array[] = [];
  let damage: string | undefined;
  for await (const part of new ParquetLines(path)) {
    if (part instanceof Uint8Array) chunks.push(part);
    else damage = part.damage;
  }
  return { text: Buffer.concat(chunks).toString('utf8'), damage };
}
const row = async (select: string) => (await read(await written(select))).text;

describe('rows of Parquet', () => {
  it.each([
    ['9007199254740993::bigint as a, -5::tinyint as b, 18446744073709551615::ubigint as c', '{"a":9007199254740993,"b":-5,"c":18446744073709551615}'],
    [
      '1.10::decimal(9,2) as a, -0.05::decimal(18,2) as b, 12345678901234567890.123456::decimal(38,6) as c, 7::decimal(4,0) as d',
      '{"a":1.10,"b":-0.05,"c":12345678901234567890.123456,"d":7}',
    ],
    ['1.1::float as a, 0.1::double as b, 1e-7::double as c', '{"a":1.1,"b":0.1,"c":1e-7}'],
    ["'NaN'::double as a, '-inf'::double as b", '{"a":"NaN","b":"-Infinity"}'],
    [
      "timestamp '2026-03-02 10:00:00.123456' as a, timestamptz '2026-03-02 10:00:00+00' as b, timestamp '1969-12-31 23:59:59.5' as c",
      '{"a":"2026-03-02T10:00:00.123456","b":"2026-03-02T10:00:00Z","c":"1969-12-31T23:59:59.5"}',
    ],
    [
      "'2026-03-02 10:00:00.1'::timestamp_ms as a, '2026-03-02 10:00:00.123456789'::timestamp_ns as b, date '2026-03-02' as c",
      '{"a":"2026-03-02T10:00:00.1","b":"2026-03-02T10:00:00.123456789","c":"2026-03-02"}',
    ],
    ['\'grün 🚲 "x\\y"\' as "schlüssel", \'\' as b, true as c', '{"schlüssel":"grün 🚲 \\"x\\\\y\\"","b":"","c":true}'],
    ['null::varchar as a, null::bigint as b, 1 as c', '{"c":1}'],
    [
      "{'user_id': 'u', 'inner': {'n': 1.50::decimal(5,2)}} as auction, [1, null, 3] as list, ['a', 'b'] as texts",
      '{"auction":{"user_id":"u","inner":{"n":1.50}},"list":[1,null,3],"texts":["a","b"]}',
    ],
    ["null::struct(a int) as s, [{'t': timestamp '2026-03-02 10:00:00'}] as l", '{"l":[{"t":"2026-03-02T10:00:00"}]}'],
    ["uuid '01234567-89ab-cdef-0123-456789abcdef' as a", '{"a":"01234567-89ab-cdef-0123-456789abcdef"}'],
  ])('are JSON with all their digits: %s', async (select, expected) => {
    expect(await row(`select ${select}`)).toBe(`${expected}\n`);
  });

  it.each(['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli'])('come in their order, over all row groups, compressed by %s', async (codec) => {
    const path = await written(
      "select i as n, 'text ' || (i % 100) as t, case when i % 3 = 0 then i / 7.0 end as maybe from range(80000) r(i)",
      `, row_group_size 70000, codec ${codec}`,
    );
    const { text, damage } = await read(path);
    expect(damage).toBeUndefined();
    const rows = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { n: number; t: string; maybe?: number });
    expect(rows.length).toBe(80_000);
    expect(rows.every(({ n, t, maybe }, index) => n === index && t === `text ${index % 100}` && (index % 3 === 0) === (maybe !== undefined))).toBe(true);
  });

  it('keep bytes that are no UTF-8, for whoever decodes them to find', async () => {
    const path = await written("select 'x' || chr(252) || 'y' as a, 1 as b");
    const bytes = readFileSync(path);
    const place = bytes.indexOf(Buffer.from('xüy'));
    bytes.set([0x78, 0xff, 0xfe, 0x79], place);
    writeFileSync(path, bytes);
    const parts: Uint8Array[] = [];
    for await (const part of new ParquetLines(path)) parts.push(part as Uint8Array);
    expect(Buffer.concat(parts).includes(Buffer.from([0x78, 0xff, 0xfe, 0x79]))).toBe(true);
  });

  it('that are cut or damaged give what is before the damage, and say so', async () => {
    const path = await written('select i as n, i * 2 as m from range(150000) r(i)', ', row_group_size 70000');
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length / 2));
    expect(await read(path)).toMatchObject({ text: '', damage: expect.stringMatching(/footer/) });
    bytes.fill(0xff, Math.floor(bytes.length * 0.7), Math.floor(bytes.length * 0.75));
    writeFileSync(path, bytes);
    const { text, damage } = await read(path);
    expect(damage).toMatch(/at row \d+/);
    expect(text.split('\n').length).toBeGreaterThan(60_000);
  });

  it('are as many as the file says, or damage is told: pages that are changed within are as the file has them, as it has no checksums', async () => {
    const path = await written(
      "select i as n, 'text ' || i as t, case when i % 3 = 0 then i end as maybe from range(20000) r(i)",
      ', row_group_size 2048, codec zstd',
    );
    const bytes = readFileSync(path);
    let damaged = 0;
    for (let place = 4; place < bytes.length - 600; place += Math.floor(bytes.length / 60)) {
      const changed = Buffer.from(bytes);
      changed.fill(0xff, place, place + 200);
      writeFileSync(path, changed);
      const { text, damage } = await read(path);
      const rows = text.split('\n').length - 1;
      expect(damage === undefined ? rows === 20_000 : rows < 20_000, `at ${place} of ${bytes.length}`).toBe(true);
      if (damage !== undefined) damaged++;
    }
    expect(damaged).toBeGreaterThan(10);
  });

  it('of an empty file are none', async () => {
    expect(await read(await written('select 1 as n where false'))).toEqual({ text: '', damage: undefined });
  });
});
