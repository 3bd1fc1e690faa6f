import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import avsc from 'avsc';

/**
 * Reads generated traffic with parsers of its own, that share nothing with the generator or the product: what it finds is a
 * second opinion.
 */

/** Null where a null spelling stands. */
export type Row = Record<string, string | null>;

export interface Read {
  readonly file: string;
  /** From 0. */
  readonly record: number;
  /** Empty where the record does not decode. */
  readonly fields: Row;
}

export interface Event extends Read {
  readonly micros: number;
}

export interface Traffic {
  readonly directory: string;
  /** Every record, the broken ones too. */
  readonly reads: Readonly<Record<'ad-impressions' | 'clicks-conversions' | 'bid-requests', readonly Read[]>>;
  /** The records that the truth calls whole. */
  readonly impressions: readonly Event[];
  readonly responses: readonly Event[];
  readonly bids: readonly Event[];
  readonly reference: Readonly<Record<'campaigns' | 'creatives' | 'users' | 'currency-rates', readonly Row[]>>;
}

const NULLS = new Set(['', 'null', 'NULL', '-', 'n/a', 'N/A']);

export async function readTraffic(directory: string): Promise<Traffic> {
  const broken = new Set(truthLines(directory, 'faults').map(({ file, record }) => placeOf(String(file), Number(record))));
  const unbroken = (reads: readonly Read[]): Event[] =>
    reads.filter(({ file, record }) => !broken.has(placeOf(file, record))).map((read) => ({ ...read, micros: timeOf(read.fields.timestamp ?? '') }));
  const reads = {
    'ad-impressions': readAll(directory, 'ad-impressions', readJsonLines),
    'clicks-conversions': readAll(directory, 'clicks-conversions', readCsv),
    'bid-requests': await readAvro(directory),
  };
  const reference = (feed: string): Row[] => readCsv(readFileSync(join(directory, 'reference', `${feed}.csv`)));
  return {
    directory,
    reads,
    impressions: unbroken(reads['ad-impressions']),
    responses: unbroken(reads['clicks-conversions']),
    bids: unbroken(reads['bid-requests']),
    reference: {
      campaigns: reference('campaigns'),
      creatives: reference('creatives'),
      users: reference('users'),
      'currency-rates': reference('currency-rates'),
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the lines of the truth are what the tests are about
export function truthLines(directory: string, name: string): any[] {
  return linesOf(readFileSync(join(directory, 'truth', `${name}.ndjson`))).map((line) => JSON.parse(line.toString()));
}

export function placeOf(file: string, record: number): string {
  return `${file}#${record}`;
}

export function filesOf(directory: string, feed: string): string[] {
  return readdirSync(join(directory, feed))
    .sort()
    .map((name) => `${feed}/${name}`);
}

export function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return lines;
}

/** Microseconds, from any of the allowed spellings. */
export function timeOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * (Number(text) >= 1e14 ? 1 : Number(text) >= 1e11 ? 1000 : 1_000_000);
  const decimal = /^(\d+)\.(\d+)$/.exec(text);
  if (decimal !== null) return Number(decimal[1]) * 1_000_000 + Number(decimal[2]?.padEnd(6, '0'));
  const [, day, time, fraction = '', zone = ''] = /^(\S{10})[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  return Date.parse(`${day}T${time}${zone.toUpperCase() || 'Z'}`) * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

export function dateOf(micros: number): string {
  return new Date(micros / 1000).toISOString().slice(0, 10);
}

function readAll(directory: string, feed: string, read: (bytes: Buffer) => Row[]): Read[] {
  return filesOf(directory, feed).flatMap((file) => read(readFileSync(join(directory, file))).map((fields, record) => ({ file, record, fields })));
}

function readJsonLines(bytes: Buffer): Row[] {
  return linesOf(bytes).map((line) => {
    try {
      // Ids are numbers too large for JavaScript: quote them first.
      const object: object = JSON.parse(line.toString().replace(/"user_id":(\d+)/, '"user_id":"$1"'));
      return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, nullOr(value)]));
    } catch {
      return {};
    }
  });
}

function readCsv(bytes: Buffer): Row[] {
  const cells = (line: Buffer) =>
    [...line.toString().matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((cell) => cell[1]?.replaceAll('""', '"') ?? cell[2] ?? '');
  const [header = [], ...rows] = linesOf(bytes).map(cells);
  return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, nullOr(row[i] ?? '')])));
}

async function readAvro(directory: string): Promise<Read[]> {
  const long = avsc.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer: () => Buffer.alloc(8),
    fromJSON: BigInt,
    toJSON: String,
    isValid: () => true,
    compare: () => 0,
  });
  const parseHook = (schema: avsc.Schema) => avsc.Type.forSchema(schema, { registry: { long }, wrapUnions: false });
  const reads: Read[] = [];
  for (const file of filesOf(directory, 'bid-requests')) {
    const decoder: AsyncIterable<Record<string, object>> = avsc.createFileDecoder(join(directory, file), { parseHook } as never);
    let record = 0;
    for await (const { auction, targeting, ...top } of decoder) {
      const fields = Object.fromEntries(Object.entries({ ...top, ...auction, ...targeting }).map(([key, value]) => [key, nullOr(value)]));
      reads.push({ file, record: record++, fields });
    }
  }
  return reads;
}

function nullOr(value: unknown): string | null {
  return value === null || value === undefined || NULLS.has(String(value)) ? null : String(value);
}
