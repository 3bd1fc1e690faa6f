import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import avsc from 'avsc';
import { isbot } from 'isbot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateTraffic } from '../generate-traffic.ts';
import type { GenerateSummary } from './summary.ts';

/**
 * A second reading of the generated files that shares nothing with the generator: plain parsers, brute force, and the rules of
 * SEMANTICS written out again. What it finds must be what `truth/` says.
 */

type Row = Record<string, string | null>;
interface Read {
  file: string;
  record: number;
  fields: Row;
}
interface Event extends Read {
  micros: number;
}

const NULLS = new Set(['', 'null', 'NULL', '-', 'n/a', 'N/A']);
const directory = mkdtempSync(join(tmpdir(), 'generate-truth-'));
const made = join(directory, 'made');
let summary: GenerateSummary;
let broken: Set<string>;
let impressions: Event[];
let responses: Event[];
let bids: Event[];

const place = (file: string, record: number) => `${file}#${record}`;
const truthLines = (name: string) =>
  readFileSync(join(made, 'truth', `${name}.ndjson`), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  summary = await generateTraffic({
    directory: made,
    seed: 'the truth',
    startDate: '2025-10-20',
    events: 30_000,
    campaigns: 7,
    users: 1500,
    rates: {
      clickRate: 0.04,
      conversionRate: 0.25,
      viewThroughRate: 0.004,
      clickFloods: 0.01,
      idConflicts: 0.002,
      malformed: 0.02,
      foreignCurrency: 0.1,
      movedCreatives: 0.3,
    },
  });
  broken = new Set(truthLines('faults').map(({ file, record }) => place(file, record)));
  impressions = unbroken(readAll('ad-impressions', readJsonLines));
  responses = unbroken(readAll('clicks-conversions', readCsv));
  bids = unbroken(await readAvro());
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true }));

describe('records', () => {
  it('are as many as the summary says, file by file', () => {
    for (const feed of Object.values(summary.feeds)) {
      expect(feed.files.reduce((sum, file) => sum + file.records, 0)).toBe(feed.received);
      expect(feed.received).toBe(feed.accepted + feed.duplicate + feed.quarantined);
    }
    expect(impressions.length).toBe(summary.feeds['ad-impressions'].received - summary.feeds['ad-impressions'].quarantined);
    expect(responses.length).toBe(summary.feeds['clicks-conversions'].received - summary.feeds['clicks-conversions'].quarantined);
    expect(bids.length).toBe(summary.feeds['bid-requests'].received - summary.feeds['bid-requests'].quarantined);
  });

  it('repeat exactly where the truth says so', () => {
    const told = truthLines('duplicates').map(({ file, record, of }) => `${place(file, record)} of ${place(of.file, of.record)}`);
    const found = [...repeats(impressions, impressionKey), ...repeats(responses, responseKey), ...repeats(bids, bidKey)];
    expect(found.length).toBeGreaterThan(100);
    expect(found.sort()).toEqual(told.sort());
  });

  it('contradict an earlier one exactly where the truth says so', () => {
    const conflicts = truthLines('faults').filter(({ code }) => code === 'id_conflict');
    expect(conflicts.length).toBeGreaterThan(20);
    const byPlace = new Map([...impressions, ...responses, ...bids].map((event) => [place(event.file, event.record), event]));
    const raw = new Map(
      [...readAll('ad-impressions', readJsonLines), ...readAll('clicks-conversions', readCsv)].map((read) => [place(read.file, read.record), read]),
    );
    for (const { feed, file, record, of } of conflicts) {
      const first = byPlace.get(place(of.file, of.record));
      expect(first, 'the record that it contradicts is whole').toBeDefined();
      if (feed === 'bid-requests') continue;
      const second = raw.get(place(file, record))!;
      const ids = feed === 'ad-impressions' ? ['impression_id'] : ['event_id', 'order_id'];
      expect(ids.map((id) => second.fields[id])).toEqual(ids.map((id) => first!.fields[id]));
      expect(second.fields).not.toEqual(first!.fields);
    }
  });

  it('arrive in their hour or later, never before their time', () => {
    const early = [...impressions, ...responses, ...bids].filter(({ file, micros }) => {
      const label = /(\d{4}-\d\d-\d\d)(?:T(\d\d))?\.\w+$/.exec(file)!;
      return micros > Date.parse(`${label[1]}T${label[2] ?? '23'}:59:59.999Z`) * 1000 + 999;
    });
    expect(early).toEqual([]);
  });
});

describe('broken records', () => {
  const decodes = (bytes: Buffer): unknown => {
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch {
      return undefined;
    }
  };

  it('of all sorts are there, in bursts', () => {
    const faults = truthLines('faults').filter(({ feed, code }) => feed === 'ad-impressions' && code !== 'id_conflict');
    expect(new Set(faults.map(({ code }) => code)).size).toBe(9);
    const near = faults.filter(({ file, record }, i) =>
      faults.slice(Math.max(0, i - 3), i).some((other) => other.file === file && Math.abs(other.record - record) <= 4),
    );
    expect(near.length / faults.length).toBeGreaterThan(0.6);
  });

  it('called malformed do not decode, and no other line fails to', () => {
    const told = new Map(truthLines('faults').map(({ file, record, code, sort }) => [place(file, record), { code, sort }]));
    let malformed = 0;
    const surprises: string[] = [];
    for (const file of filesOf('ad-impressions')) {
      for (const [record, bytes] of linesOf(readFileSync(join(made, file))).entries()) {
        const value = decodes(bytes);
        const fault = told.get(place(file, record));
        const twice = bytes.toString().split('"user_id"').length > 2;
        const whole = typeof value === 'object' && !twice;
        if (fault?.code === 'malformed') malformed++;
        if (whole === (fault?.code === 'malformed')) surprises.push(`${place(file, record)}: ${fault?.sort}`);
      }
    }
    expect(surprises).toEqual([]);
    expect(malformed).toBe(summary.feeds['ad-impressions'].quarantinedByCode.malformed);
  });
});

describe('figures', () => {
  it('of each campaign and day come out as told', () => {
    const rates = new Map(reference('currency-rates').map((row) => [`${row.rate_date} ${row.currency}`, row.rate!]));
    const sums = new Map<string, Record<string, number>>();
    const add = (campaign: string | null, micros: number, measure: string, amount = 1) => {
      const key = `${campaign} ${dateOf(micros)}`;
      const row = sums.get(key) ?? {};
      row[measure] = (row[measure] ?? 0) + amount;
      sums.set(key, row);
    };
    for (const { fields, micros } of unique(impressions, impressionKey)) {
      const campaign = campaignOf(fields, micros);
      add(campaign, micros, 'impressions');
      if (isBot(fields.user_agent)) continue;
      add(campaign, micros, 'valid_impressions');
      add(campaign, micros, 'cost_cpm_micros', money(fields.price, fields.currency, micros, rates));
    }
    for (const { click, valid } of judgedClicks()) {
      add(click.fields.campaign_id!, click.micros, 'clicks');
      if (valid) add(click.fields.campaign_id!, click.micros, 'valid_clicks');
    }
    for (const { conversion, path } of paths()) {
      add(conversion.fields.campaign_id!, conversion.micros, 'conversions');
      add(
        conversion.fields.campaign_id!,
        conversion.micros,
        'conversion_value_micros',
        money(conversion.fields.value, conversion.fields.currency, conversion.micros, rates),
      );
      if (path.length > 0) add(conversion.fields.campaign_id!, conversion.micros, 'attributed_conversions');
    }
    for (const { fields, micros } of unique(bids, bidKey)) {
      add(fields.campaign_id!, micros, 'bid_requests');
      if (fields.won === 'true') add(fields.campaign_id!, micros, 'bids_won');
    }
    const told = new Map(truthLines('campaign-days').map(({ campaign_id, date, ...measures }) => [`${campaign_id} ${date}`, withoutZeros(measures)]));
    expect(told.size).toBeGreaterThan(40);
    expect(new Map([...sums].map(([key, row]) => [key, withoutZeros(row)]))).toEqual(told);
  });

  it('of clicks come out as told: validity, reasons, matches', () => {
    const found = judgedClicks().map(({ click, valid, reasons }) => {
      const matched = validImpressions(click.fields.user_id!).some(
        (touch) => touch.campaign === click.fields.campaign_id && click.micros >= touch.micros && click.micros - touch.micros < 86_400e6,
      );
      return [click.fields.user_id, click.fields.campaign_id, click.micros, valid, reasons, matched].join(' ');
    });
    const told = truthLines('clicks').map((click) =>
      [click.user_id, click.campaign_id, timeOf(click.time), click.valid, click.invalid_reasons ?? '', click.matched].join(' '),
    );
    expect(told.length).toBe(summary.expected.clicks);
    expect(found.sort()).toEqual(told.sort());
    for (const reason of ['bot_user_agent', 'double_click', 'click_flood'])
      expect(found.filter((click) => click.includes(reason)).length, reason).toBeGreaterThan(3);
    expect(found.filter((click) => click.endsWith('false')).length).toBe(summary.expected.orphanClicks);
  });

  it('of conversions come out as told: the touches of each path', () => {
    const found = paths().map(({ conversion, path }) =>
      [
        conversion.fields.user_id,
        conversion.fields.campaign_id,
        conversion.micros,
        ...path.map((touch) => `${touch.type}@${touch.micros}/${touch.campaign}`),
      ].join(' '),
    );
    const told = truthLines('conversions').map((conversion) =>
      [
        conversion.user_id,
        conversion.campaign_id,
        timeOf(conversion.time),
        ...conversion.path.map((touch: Row) => `${touch.type}@${timeOf(touch.time!)}/${touch.campaign_id}`),
      ].join(' '),
    );
    expect(told.length).toBe(summary.expected.conversions);
    expect(found.sort()).toEqual(told.sort());
    expect(found.filter((path) => path.includes('impression@')).length).toBe(summary.expected.viewThroughConversions);
    expect(summary.expected.viewThroughConversions).toBeGreaterThan(10);
    expect(found.filter((path) => !path.includes('@')).length).toBe(summary.expected.unattributedConversions);
  });
});

// Reading.

function filesOf(feed: string): string[] {
  return readdirSync(join(made, feed))
    .sort()
    .map((name) => `${feed}/${name}`);
}

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return lines;
}

function readAll(feed: string, read: (bytes: Buffer) => Row[]): Read[] {
  return filesOf(feed).flatMap((file) => read(readFileSync(join(made, file))).map((fields, record) => ({ file, record, fields })));
}

function readJsonLines(bytes: Buffer): Row[] {
  return linesOf(bytes).map((line) => {
    try {
      // Ids are numbers too large for JavaScript: quote them first.
      const object = JSON.parse(line.toString().replace(/"user_id":(\d+)/, '"user_id":"$1"'));
      return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, nullOr(value)]));
    } catch {
      return {};
    }
  });
}

function readCsv(bytes: Buffer): Row[] {
  const [header, ...rows] = linesOf(bytes).map((line) =>
    [...line.toString().matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((cell) => cell[1]?.replaceAll('""', '"') ?? cell[2] ?? ''),
  );
  return rows.map((cells) => Object.fromEntries(header!.map((name, i) => [name, nullOr(cells[i] ?? '')])));
}

async function readAvro(): Promise<Read[]> {
  const long = avsc.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer: () => Buffer.alloc(8),
    fromJSON: BigInt,
    toJSON: String,
    isValid: () => true,
    compare: () => 0,
  });
  const reads: Read[] = [];
  for (const file of filesOf('bid-requests')) {
    const decoder = avsc.createFileDecoder(join(made, file), {
      parseHook: (schema: avsc.Schema) => avsc.Type.forSchema(schema, { registry: { long }, wrapUnions: false }),
    } as never);
    let record = 0;
    for await (const { request_id, timestamp, auction, targeting } of decoder as AsyncIterable<Record<string, Record<string, unknown>>>) {
      const flat = { request_id, timestamp, ...auction, ...targeting };
      reads.push({ file, record: record++, fields: Object.fromEntries(Object.entries(flat).map(([key, value]) => [key, nullOr(value)])) });
    }
  }
  return reads;
}

function nullOr(value: unknown): string | null {
  return value === null || value === undefined || NULLS.has(String(value)) ? null : String(value);
}

function unbroken(reads: Read[]): Event[] {
  return reads.filter(({ file, record }) => !broken.has(place(file, record))).map((read) => ({ ...read, micros: timeOf(read.fields.timestamp!) }));
}

/** Microseconds, from any of the allowed spellings. */
function timeOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * (text.length >= 16 ? 1 : text.length >= 13 ? 1000 : 1_000_000);
  const decimal = /^(\d+)\.(\d+)$/.exec(text);
  if (decimal !== null) return Number(decimal[1]) * 1_000_000 + Number(decimal[2]!.padEnd(6, '0'));
  const [, day, time, fraction = '', zone = ''] = /^(\S{10})[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)?$/.exec(text)!;
  return Date.parse(`${day}T${time}${zone.toUpperCase() || 'Z'}`) * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

function dateOf(micros: number): string {
  return new Date(micros / 1000).toISOString().slice(0, 10);
}

const references = new Map<string, Row[]>();
function reference(feed: string): Row[] {
  const rows = references.get(feed) ?? readCsv(readFileSync(join(made, 'reference', `${feed}.csv`)));
  references.set(feed, rows);
  return rows;
}

const bots = new Map<string, boolean>();
function isBot(userAgent: string | null | undefined): boolean {
  if (userAgent == null) return false;
  const bot = bots.get(userAgent) ?? isbot(userAgent);
  bots.set(userAgent, bot);
  return bot;
}

// The rules.

function hostOf(website: string): string {
  return website
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/[/:].*$/, '')
    .replace(/^www\./, '')
    .replace(/\.$/, '');
}

function impressionKey({ fields, micros }: Event): string {
  return fields.impression_id ?? [fields.user_id, fields.creative_id, micros, hostOf(fields.website!)].join(' ');
}

function isClick(fields: Row): boolean {
  return fields.event_type === null ? fields.conversion_type === null || fields.conversion_type === 'click' : fields.event_type === 'click';
}

function responseKey({ fields, micros }: Event): string {
  const type = isClick(fields) ? 'click' : 'conversion';
  if (fields.event_id != null) return `${type} ${fields.event_id}`;
  if (type === 'click') return [type, fields.user_id, fields.campaign_id, micros].join(' ');
  if (fields.order_id != null) return ['order', fields.order_id, fields.conversion_type].join(' ');
  return [type, fields.user_id, fields.campaign_id, fields.conversion_type, micros, fields.value].join(' ');
}

function bidKey({ fields, micros }: Event): string {
  return fields.request_id ?? [fields.user_id, fields.space_id, micros, fields.amount].join(' ');
}

function repeats(events: Event[], key: (event: Event) => string): string[] {
  const first = new Map<string, string>();
  const found: string[] = [];
  for (const event of events) {
    const at = place(event.file, event.record);
    const earlier = first.get(key(event));
    if (earlier === undefined) first.set(key(event), at);
    else found.push(`${at} of ${earlier}`);
  }
  return found;
}

function unique(events: Event[], key: (event: Event) => string): Event[] {
  return [...new Map([...events].reverse().map((event) => [key(event), event])).values()];
}

function campaignOf(fields: Row, micros: number): string | null {
  if (fields.campaign_id != null) return fields.campaign_id;
  const owners = reference('creatives').filter(
    (row) => row.creative_id === fields.creative_id && (row.valid_from === null || timeOf(row.valid_from!) <= micros),
  );
  return owners.sort((a, b) => (a.valid_from ?? '').localeCompare(b.valid_from ?? '')).at(-1)?.campaign_id ?? null;
}

function money(amount: string | null | undefined, currency: string | null | undefined, micros: number, rates: Map<string, string>): number {
  if (amount == null) return 0;
  const own = BigInt(Math.round(Number(amount) * 1e6));
  if (currency == null || currency === summary.plan.currency) return Number(own);
  const rate = BigInt(Math.round(Number(rates.get(`${dateOf(micros)} ${currency}`)) * 1e9));
  return Number((own * rate * 2n + 1_000_000_000n) / 2_000_000_000n);
}

interface Touch {
  type: 'impression' | 'click';
  micros: number;
  campaign: string | null;
}

let judged: ReturnType<typeof judgeClicks> | undefined;
function judgedClicks(): ReturnType<typeof judgeClicks> {
  judged ??= judgeClicks();
  return judged;
}

let impressionsByUser: Map<string, Touch[]> | undefined;
function validImpressions(user: string): Touch[] {
  if (impressionsByUser === undefined) {
    impressionsByUser = new Map();
    for (const { fields, micros } of unique(impressions, impressionKey)) {
      if (isBot(fields.user_agent)) continue;
      const touches = impressionsByUser.get(fields.user_id!) ?? [];
      touches.push({ type: 'impression', micros, campaign: campaignOf(fields, micros) });
      impressionsByUser.set(fields.user_id!, touches);
    }
  }
  return impressionsByUser.get(user) ?? [];
}

function judgeClicks(): { click: Event; valid: boolean; reasons: string }[] {
  const last = new Map<string, number>();
  const perDay = new Map<string, number>();
  return unique(responses, responseKey)
    .filter(({ fields }) => isClick(fields))
    .sort((a, b) => a.micros - b.micros)
    .map((click) => {
      const pair = `${click.fields.user_id} ${click.fields.campaign_id}`;
      const day = `${pair} ${dateOf(click.micros)}`;
      const reasons: string[] = [];
      const bot = isBot(click.fields.user_agent);
      if (bot) reasons.push('bot_user_agent');
      if (click.micros - (last.get(pair) ?? Number.NEGATIVE_INFINITY) <= 1e6) reasons.push('double_click');
      if (reasons.length === 0 && (perDay.get(day) ?? 0) >= 10) reasons.push('click_flood');
      if (reasons.length === 0) {
        last.set(pair, click.micros);
        perDay.set(day, (perDay.get(day) ?? 0) + 1);
      }
      return { click, valid: reasons.length === 0, reasons: reasons.join(',') };
    });
}

function paths(): { conversion: Event; path: Touch[] }[] {
  const clicks = judgedClicks().filter(({ valid }) => valid);
  return unique(responses, responseKey)
    .filter(({ fields }) => !isClick(fields))
    .map((conversion) => {
      const { fields, micros } = conversion;
      const mine = (touch: Touch, windowMicros: number) =>
        touch.micros <= micros && micros - touch.micros < windowMicros && (fields.campaign_id == null || fields.campaign_id === touch.campaign);
      let path = clicks
        .filter(({ click }) => click.fields.user_id === fields.user_id)
        .map(({ click }): Touch => ({ type: 'click', micros: click.micros, campaign: click.fields.campaign_id! }))
        .filter((touch) => mine(touch, 30 * 86_400e6));
      if (path.length === 0) path = validImpressions(fields.user_id!).filter((touch) => mine(touch, 86_400e6));
      return { conversion, path: path.sort((a, b) => a.micros - b.micros) };
    });
}

function withoutZeros(measures: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(measures).filter(([, amount]) => amount !== 0));
}
