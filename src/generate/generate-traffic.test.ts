import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import avsc from 'avsc';
import { uncompress } from 'snappyjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateTraffic } from './generate-traffic.ts';
import type { GenerateOptions } from './options.ts';

const root = mkdtempSync(join(tmpdir(), 'generate-traffic-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Responsive people, so that so little traffic has clicks and conversions in it. */
const small: Omit<GenerateOptions, 'directory'> = { seed: 11, startDate: '2025-10-20', events: 6000, rates: { clickRate: 0.04, conversionRate: 0.2 } };
let runs = 0;
const fresh = () => join(root, `run-${++runs}`);

/** Path → SHA-256 of everything in the folder. */
function digests(directory: string): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [relative(directory, path), createHash('sha256').update(readFileSync(path)).digest('hex')]));
}

function bytesOf(directory: string, feed: string): Map<string, Buffer> {
  return new Map(
    readdirSync(join(directory, feed))
      .sort()
      .map((name) => [name, readFileSync(join(directory, feed, name))]),
  );
}

describe('the same seed', () => {
  const first = fresh();
  beforeAll(async () => {
    await generateTraffic({ ...small, directory: first });
  });

  it('gives the same bytes, in every file', async () => {
    const again = fresh();
    await generateTraffic({ ...small, directory: again });
    expect(digests(again)).toEqual(digests(first));
    expect(digests(first).size).toBeGreaterThan(70);
  });

  it('gives the same bytes in as many settings as there are', async () => {
    const settings = {
      ...small,
      days: 2,
      tailDays: 3,
      compression: 'zstd',
      avroCodec: 'deflate',
      filesPerFeed: 3,
      currency: 'EUR',
      rates: { malformed: 0.1 },
    } as const;
    const [one, other] = [fresh(), fresh()];
    await generateTraffic({ ...settings, directory: one });
    await generateTraffic({ ...settings, directory: other });
    expect(digests(one)).toEqual(digests(other));
  });

  it('is one seed as number and as text', async () => {
    const text = fresh();
    await generateTraffic({ ...small, seed: '11', directory: text });
    expect(digests(text)).toEqual(digests(first));
  });

  it('with another rate leaves what the rate is not about', async () => {
    const [usual, other] = [fresh(), fresh()];
    const impressions = { ...small, events: undefined, impressions: 2500 };
    await generateTraffic({ ...impressions, directory: usual });
    await generateTraffic({
      ...impressions,
      rates: { ...small.rates, malformed: 0.1, idConflicts: 0, duplicateImpressions: 0, lateOverAnHour: 0, lateOverADay: 0 },
      directory: other,
    });
    expect(digests(other).get('truth/clicks.ndjson')).toBe(digests(usual).get('truth/clicks.ndjson'));
    expect(digests(other).get('truth/campaign-days.ndjson')).toBe(digests(usual).get('truth/campaign-days.ndjson'));
    expect(digests(other).get('truth/faults.ndjson')).not.toBe(digests(usual).get('truth/faults.ndjson'));
  });

  it('is told from another seed in every file of events', async () => {
    const other = fresh();
    await generateTraffic({ ...small, seed: 12, directory: other });
    const [mine, theirs] = [digests(first), digests(other)];
    const same = [...mine].filter(([path, digest]) => theirs.get(path) === digest).map(([path]) => path);
    expect(same).toEqual([]);
  });
});

describe('what is written', () => {
  it('is laid out by feed and hour of arrival, and summed up with the digest of each file', async () => {
    const directory = fresh();
    const summary = await generateTraffic({ ...small, directory });
    const found = digests(directory);
    const written = [...Object.values(summary.feeds).flatMap(({ files }) => files), ...summary.reference];
    for (const { path, sha256, bytes } of written) {
      expect(found.get(path), path).toBe(sha256);
      expect(readFileSync(join(directory, path)).length).toBe(bytes);
    }
    const truth = ['faults', 'duplicates', 'clicks', 'conversions', 'bots', 'campaign-days'].map((name) => `truth/${name}.ndjson`);
    expect([...found.keys()].sort()).toEqual([...written.map(({ path }) => path), ...truth, 'truth/summary.json'].sort());
    expect(summary.reference.map(({ path }) => path)).toEqual(['campaigns', 'creatives', 'users', 'currency-rates'].map((feed) => `reference/${feed}.csv`));
    const names = summary.feeds['ad-impressions'].files.map(({ path }) => path);
    expect(names).toEqual([...names].sort());
    expect(names.slice(0, 24)).toEqual(
      Array.from({ length: 24 }, (_, hour) => `ad-impressions/ad-impressions-2025-10-20T${String(hour).padStart(2, '0')}.jsonl`),
    );
    expect(names[24]).toBe('ad-impressions/ad-impressions-2025-10-21.jsonl');
    expect(JSON.parse(readFileSync(join(directory, 'truth/summary.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(summary)));
  });

  it('is about as much as was asked for, or exactly so many impressions', async () => {
    for (const events of [500, 20_000]) {
      const { records } = await generateTraffic({ ...small, events, directory: fresh() });
      expect(Math.abs(records - events) / events).toBeLessThan(0.06);
    }
    const { expected } = await generateTraffic({ ...small, events: undefined, impressions: 1234, directory: fresh() });
    expect(expected.impressions).toBe(1234);
  });

  it('is the same whatever the compression, the codec and the files', async () => {
    const plain = fresh();
    await generateTraffic({ ...small, directory: plain });
    const whole = (feed: string) => Buffer.concat([...bytesOf(plain, feed).values()]);
    for (const [compression, ending, unpack] of [
      ['gzip', '.gz', gunzipSync],
      ['zstd', '.zst', zstdDecompressSync],
    ] as const) {
      const directory = fresh();
      await generateTraffic({ ...small, compression, filesPerFeed: 1, directory });
      expect([...bytesOf(directory, 'ad-impressions').keys()]).toEqual([`ad-impressions.jsonl${ending}`]);
      const unpacked = unpack(bytesOf(directory, 'ad-impressions').get(`ad-impressions.jsonl${ending}`) as Buffer);
      expect(unpacked.equals(whole('ad-impressions'))).toBe(true);
      expect([...bytesOf(directory, 'clicks-conversions').keys()]).toEqual([`clicks-conversions.csv${ending}`]);
    }
  });

  it('is the same bid requests in each codec, as another reader of Avro sees them', async () => {
    const codecs = {
      snappy: (bytes: Buffer, done: (error: Error | null, plain: Buffer) => void) => done(null, Buffer.from(uncompress(bytes.subarray(0, -4)))),
    };
    const zstandard = (bytes: Buffer, done: (error: Error | null, plain: Buffer) => void) => done(null, zstdDecompressSync(bytes));
    const read = async (avroCodec: 'null' | 'deflate' | 'snappy' | 'zstandard') => {
      const directory = fresh();
      const summary = await generateTraffic({ ...small, events: 3000, avroCodec, filesPerFeed: 1, rates: { numericUserIds: 0 }, directory });
      const records: string[] = [];
      const decoder = avsc.createFileDecoder(join(directory, 'bid-requests/bid-requests.avro'), {
        codecs: { ...avsc.streams.BlockDecoder.defaultCodecs(), ...codecs, zstandard },
      } as never);
      for await (const record of decoder) records.push(JSON.stringify(record));
      expect(records.length).toBe(summary.feeds['bid-requests'].received);
      return records;
    };
    const plain = await read('null');
    expect(plain.length).toBeGreaterThan(1000);
    for (const codec of ['deflate', 'snappy', 'zstandard'] as const) expect(await read(codec)).toEqual(plain);
  });

  it('is split into as many files as were asked for, of about the same size', async () => {
    const { feeds } = await generateTraffic({ ...small, events: 30_000, filesPerFeed: 5, directory: fresh() });
    const { files, received } = feeds['ad-impressions'];
    expect(files.map(({ path }) => path.slice(-11))).toEqual(['00001.jsonl', '00002.jsonl', '00003.jsonl', '00004.jsonl', '00005.jsonl']);
    for (const { records } of files) expect(Math.abs(records / (received / 5) - 1)).toBeLessThan(0.1);
  });

  it('has a file for a feed to which nothing came', async () => {
    const directory = fresh();
    const { feeds } = await generateTraffic({ ...small, rates: { clickRate: 0, viewThroughRate: 0, auctionShare: 0 }, directory });
    expect(feeds['clicks-conversions']).toMatchObject({
      received: 0,
      files: [{ path: 'clicks-conversions/clicks-conversions-2025-10-20T00.csv', records: 0 }],
    });
    expect(readFileSync(join(directory, 'clicks-conversions/clicks-conversions-2025-10-20T00.csv'), 'utf8')).toMatch(/^timestamp,user_id,.*\n$/);
    expect(feeds['bid-requests'].files.map(({ records }) => records)).toEqual([0]);
  });

  it('ends with the tail of conversions', async () => {
    const responsive = { ...small, rates: { clickRate: 0.1, conversionRate: 0.5 } };
    const none = await generateTraffic({ ...responsive, tailDays: 0, directory: fresh() });
    const directory = fresh();
    const five = await generateTraffic({ ...responsive, tailDays: 5, directory });
    expect(none.expected.conversions).toBeLessThan(0.75 * five.expected.conversions);
    expect(none.notWritten.conversions).toBe(five.notWritten.conversions + five.expected.conversions - none.expected.conversions);
    const times = readFileSync(join(directory, 'truth/conversions.ndjson'), 'utf8').match(/"time":"(\d{4}-\d\d-\d\d)/g);
    expect(new Set(times)).toEqual(new Set(['20', '21', '22', '23', '24', '25'].flatMap((day) => [`"time":"2025-10-${day}`])));
  });
});

describe('the call', () => {
  it('refuses a folder with something in it', async () => {
    const directory = fresh();
    mkdirSync(directory);
    writeFileSync(join(directory, 'mine.txt'), 'precious');
    await expect(generateTraffic({ ...small, directory })).rejects.toMatchObject({ code: 'usage', message: `${directory} is not empty` });
    expect(readdirSync(directory)).toEqual(['mine.txt']);
  });

  it('says where it cannot write', async () => {
    const file = join(root, 'a-file');
    writeFileSync(file, '');
    await expect(generateTraffic({ ...small, directory: join(file, 'traffic') })).rejects.toMatchObject({ code: 'data_unusable' });
  });

  it('tells how far it is', async () => {
    const seen: number[] = [];
    const { records } = await generateTraffic(
      { ...small, directory: fresh() },
      { progress: (progress) => void seen.push(progress.records / progress.expectedRecords) },
    );
    expect(seen.length).toBeGreaterThan(20);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
    expect(records).toBeGreaterThan(5000);
  });

  it('can be interrupted, and leaves no summary', async () => {
    const directory = fresh();
    const stop = new AbortController();
    const listener = { signal: stop.signal, progress: ({ records }: { records: number }) => void (records > 2000 && stop.abort()) };
    await expect(generateTraffic({ ...small, directory }, listener)).rejects.toMatchObject({ code: 'interrupted' });
    expect(readdirSync(join(directory, 'truth'))).not.toContain('summary.json');
  });
});
