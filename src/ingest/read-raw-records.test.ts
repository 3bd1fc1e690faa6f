import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import avro from 'avsc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadContracts } from '../contracts/load-contract.ts';
import type { Encoding, Feed } from '../domain/feeds.ts';
import type { StagedChunk } from '../staging/staged-chunk.ts';
import type { Contracts } from '../staging/staged-tables.ts';
import { type DecodeJob, FileDecoder } from './decode-file.ts';
import type { EdgeSettings } from './edge-settings.ts';
import { RawRecordReader } from './read-raw-records.ts';

const RECORDS = 5_000;
const RECEIVED_AT = Date.UTC(2026, 2, 1) * 1_000;
const WANTED = [0, 1, 1_023, 1_024, 1_025, 2_047, 2_500, 2_501, 4_998, 4_999];

let folder: string;
let contracts: Contracts;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'advertisex-raw-'));
  contracts = await loadContracts(join(import.meta.dirname, '../../contracts'));
});
afterAll(() => rm(folder, { recursive: true }));

const impression = (i: number) => ({
  impression_id: `i-${i}`,
  creative_id: 'c',
  user_id: `u-${i % 7}`,
  timestamp: '2026-02-01T00:00:00Z',
  website: 'a.example',
});
const lines = () => Array.from({ length: RECORDS }, (_, i) => (i === 0 ? 'not json' : JSON.stringify(impression(i))));
const click = (i: number) => `2026-02-01T00:00:00Z,u-${i},c,click,"k-${i}\n${'x'.repeat(i % 90)}"`;

const bidType = avro.Type.forSchema({
  type: 'record',
  name: 'Bid',
  fields: [
    { name: 'timestamp', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'request_id', type: 'string' },
    {
      name: 'auction',
      type: {
        type: 'record',
        name: 'Auction',
        fields: [
          { name: 'user_id', type: 'string' },
          { name: 'space_id', type: 'string' },
          { name: 'amount', type: 'double' },
        ],
      },
    },
  ],
} as avro.Schema);

async function avroFile(): Promise<Buffer> {
  const encoder = new avro.streams.BlockEncoder(bidType, { codec: 'deflate', blockSize: 8_192 });
  const parts: Buffer[] = [];
  encoder.on('data', (part: Buffer) => parts.push(part));
  const ended = new Promise((resolve) => encoder.on('end', resolve));
  for (let i = 0; i < RECORDS; i++)
    encoder.write({ timestamp: 1_769_904_000_000, request_id: `r-${i}`, auction: { user_id: `u-${i}`, space_id: 's', amount: 1.5 } });
  encoder.end();
  await ended;
  return Buffer.concat(parts);
}

const edge = (): EdgeSettings => ({
  contracts,
  rules: Object.fromEntries([...contracts.keys()].map((feed) => [feed, { nullSpellings: ['', 'null'], timeZone: 'UTC' }])),
  currency: 'USD',
  rates: [],
  reportingTimeZone: 'UTC',
  maxRecordBytes: 100_000,
});

async function rawOf(name: string, bytes: Uint8Array, feed: Feed, encoding: Encoding): Promise<Map<number, string>> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  const { size, mtimeMs } = await stat(path);
  const job: DecodeJob = {
    path,
    place: path,
    source: path,
    feed,
    encoding,
    delimiter: ',',
    bytes: size,
    modifiedMs: mtimeMs,
    firstPosition: 0,
    receivedAtMicros: RECEIVED_AT,
    directory: folder,
    name: `staged-${name}`,
    firstStageRow: 0,
    chunkRecords: 2_000,
  };
  const chunks: StagedChunk[] = [];
  const decoded = await new FileDecoder(edge()).decode(job, async (chunk) => void chunks.push(chunk));
  chunks.push(...decoded.lastChunks);
  expect(chunks.reduce((sum, chunk) => sum + chunk.received, 0)).toBe(RECORDS);
  const found = await new RawRecordReader(edge()).read(
    job,
    WANTED,
    chunks.flatMap((chunk) => chunk.resumePoints),
  );
  return new Map([...found].map(([position, { raw }]) => [position, Buffer.from(raw).toString('latin1')]));
}

/** The first record of the lines is malformed: it has no bytes to be found by. */
const WHOLE = WANTED.filter((position) => position > 0);

describe('the bytes of records, read again', () => {
  it.each([
    ['lines.jsonl', (text: string) => Buffer.from(text)],
    ['lines.jsonl.gz', (text: string) => gzipSync(text)],
  ])('are those of JSON lines: %s', async (name, pack) => {
    const all = lines();
    expect(await rawOf(name, pack(all.join('\n')), 'ad-impressions', 'json')).toEqual(new Map(WHOLE.map((position) => [position, all[position]])));
  });

  it('are those of the elements of a JSON array', async () => {
    const all = Array.from({ length: RECORDS }, (_, i) => JSON.stringify(impression(i)));
    const found = await rawOf('array.json', Buffer.from(`[${all.join(',\n')}]`), 'ad-impressions', 'json');
    expect(found).toEqual(new Map(WANTED.map((position) => [position, all[position]])));
  });

  it('are those of CSV rows with line breaks in them, under their header', async () => {
    const header = 'timestamp,user_id,campaign_id,conversion_type,creative_id';
    const found = await rawOf(
      'rows.csv',
      Buffer.from([header, ...Array.from({ length: RECORDS }, (_, i) => click(i))].join('\n')),
      'clicks-conversions',
      'csv',
    );
    expect([...found.keys()].sort((a, b) => a - b)).toEqual(WANTED);
    for (const position of WANTED) expect(found.get(position)?.trimEnd()).toBe(`${header}\n${click(position)}`);
  });

  it('are Avro files of one record each', async () => {
    const found = await rawOf('bids.avro', await avroFile(), 'bid-requests', 'avro');
    expect([...found.keys()].sort((a, b) => a - b)).toEqual(WANTED);
    for (const position of WANTED) expect(found.get(position)).toContain(`r-${position}`);
  });
});
