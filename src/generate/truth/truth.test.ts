import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SecondReading } from '../../../test/generate/second-reading.ts';
import { filesOf, linesOf, placeOf, readTraffic, type Traffic, timeOf, truthLines } from '../../../test/generate/traffic-files.ts';
import { generateTraffic } from '../generate-traffic.ts';
import type { GenerateSummary } from './summary.ts';

// What a second reading of the files finds must be what `truth/` says.

const directory = mkdtempSync(join(tmpdir(), 'generate-truth-'));
const made = join(directory, 'made');
let summary: GenerateSummary;
let traffic: Traffic;
let reading: SecondReading;

beforeAll(async () => {
  summary = await generateTraffic({
    directory: made,
    seed: 'the truth',
    startDate: '2025-10-20',
    days: 2,
    events: 30_000,
    campaigns: 7,
    users: 1500,
    rates: {
      clickRate: 0.04,
      conversionRate: 0.25,
      viewThroughRate: 0.004,
      clickFloods: 0.01,
      idConflicts: 0.003,
      malformed: 0.02,
      foreignCurrency: 0.1,
      movedCreatives: 0.3,
    },
  });
  traffic = await readTraffic(made);
  reading = new SecondReading(traffic, summary.plan.currency);
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true }));

describe('records', () => {
  it('are as many as the summary says, feed by feed and file by file', () => {
    const whole = { 'ad-impressions': traffic.impressions, 'clicks-conversions': traffic.responses, 'bid-requests': traffic.bids };
    for (const [name, feed] of Object.entries(summary.feeds)) {
      const reads = traffic.reads[name as keyof typeof whole];
      expect(reads.length).toBe(feed.received);
      expect(feed.received).toBe(feed.accepted + feed.duplicate + feed.quarantined);
      expect(whole[name as keyof typeof whole].length).toBe(feed.accepted + feed.duplicate);
      for (const { path, records } of feed.files) expect(reads.filter(({ file }) => file === path).length).toBe(records);
    }
  });

  it('repeat exactly where the truth says so', () => {
    const told = truthLines(made, 'duplicates').map(({ file, record, of }) => `${placeOf(file, record)} of ${placeOf(of.file, of.record)}`);
    expect(told.length).toBeGreaterThan(80);
    expect(reading.repeats.sort()).toEqual(told.sort());
  });

  it('contradict an earlier one where the truth says so', () => {
    const conflicts = truthLines(made, 'faults').filter(({ code }) => code === 'id_conflict');
    expect(conflicts.length).toBeGreaterThan(40);
    const at = new Map(Object.values(traffic.reads).flatMap((reads) => reads.map((read) => [placeOf(read.file, read.record), read.fields])));
    const whole = new Set([...traffic.impressions, ...traffic.responses, ...traffic.bids].map(({ file, record }) => placeOf(file, record)));
    for (const { file, record, of } of conflicts) {
      const first = at.get(placeOf(of.file, of.record));
      const second = at.get(placeOf(file, record));
      expect(whole.has(placeOf(of.file, of.record)), 'the record that it contradicts is whole').toBe(true);
      for (const id of ['impression_id', 'event_id', 'order_id', 'request_id']) expect(second?.[id]).toEqual(first?.[id]);
      expect(second).not.toEqual(first);
    }
  });

  it('arrive in the hour of their file or later, never before their time', () => {
    const early = [...traffic.impressions, ...traffic.responses, ...traffic.bids].filter(({ file, micros }) => {
      const label = /(\d{4}-\d\d-\d\d)(?:T(\d\d))?\.\w+$/.exec(file);
      return micros > Date.parse(`${label?.[1]}T${label?.[2] ?? '23'}:59:59.999Z`) * 1000 + 999;
    });
    expect(early).toEqual([]);
  });
});

describe('broken records', () => {
  it('are of every code, and stand in bursts', () => {
    const faults = truthLines(made, 'faults').filter(({ feed, code }) => feed === 'ad-impressions' && code !== 'id_conflict');
    expect([...new Set(faults.map(({ code }) => code))].sort()).toEqual([
      'bad_enum',
      'bad_id',
      'bad_number',
      'bad_timestamp',
      'malformed',
      'missing_field',
      'timestamp_out_of_range',
      'unknown_currency',
      'wrong_type',
    ]);
    const near = faults.filter(({ file, record }, i) => faults.slice(Math.max(0, i - 3), i).some((other) => other.file === file && record - other.record <= 4));
    // By themselves two in a hundred would stand near another one.
    expect(near.length / faults.length).toBeGreaterThan(0.6);
  });

  it('that are called malformed do not decode, and no other line fails to', () => {
    const told = new Map(truthLines(made, 'faults').map(({ file, record, code, sort }) => [placeOf(file, record), { code, sort }]));
    const surprises: string[] = [];
    let malformed = 0;
    for (const file of filesOf(made, 'ad-impressions')) {
      for (const [record, line] of linesOf(readFileSync(join(made, file))).entries()) {
        const fault = told.get(placeOf(file, record));
        if (fault?.code === 'malformed') malformed++;
        if (isWholeObject(line) === (fault?.code === 'malformed')) surprises.push(`${placeOf(file, record)}: ${fault?.sort}`);
      }
    }
    expect(surprises).toEqual([]);
    expect(malformed).toBe(summary.feeds['ad-impressions'].quarantinedByCode.malformed);
  });
});

describe('figures', () => {
  it('of each campaign and day come out as told', () => {
    const told = truthLines(made, 'campaign-days').map(({ campaign_id, date, ...measures }) => [
      `${campaign_id} ${date}`,
      Object.fromEntries(Object.entries(measures).filter(([, amount]) => amount !== 0)),
    ]);
    expect(told.length).toBeGreaterThan(40);
    expect(reading.campaignDays()).toEqual(new Map(told as [string, Record<string, number>][]));
  });

  it('of clicks come out as told: validity, reasons, matches', () => {
    const found = reading.clicks.map(({ click, valid, reasons, matched }) =>
      [click.fields.user_id, click.fields.campaign_id, click.micros, valid, reasons, matched].join(' '),
    );
    const told = truthLines(made, 'clicks').map((click) =>
      [click.user_id, click.campaign_id, timeOf(click.time), click.valid, click.invalid_reasons ?? '', click.matched].join(' '),
    );
    expect(found.sort()).toEqual(told.sort());
    const { expected } = summary;
    const count = (text: string) => found.filter((click) => click.includes(text)).length;
    expect([found.length, count('bot_user_agent'), count('double_click'), count('click_flood')]).toEqual([
      expected.clicks,
      expected.botClicks,
      expected.doubleClicks,
      expected.floodClicks,
    ]);
    expect(Math.min(count('bot_user_agent'), count('double_click'), count('click_flood'))).toBeGreaterThan(3);
    expect(reading.clicks.filter(({ matched }) => !matched).length).toBe(expected.orphanClicks);
  });

  it('of conversions come out as told: the touches of each path', () => {
    const found = reading.conversions.map(({ conversion: { fields, micros }, path }) =>
      [fields.user_id, fields.campaign_id, micros, ...path.map((touch) => `${touch.type}@${touch.micros}/${touch.campaign}`)].join(' '),
    );
    const told = truthLines(made, 'conversions').map(({ user_id, campaign_id, time, path }) =>
      [
        user_id,
        campaign_id,
        timeOf(time),
        ...path.map((touch: Record<string, string>) => `${touch.type}@${timeOf(touch.time ?? '')}/${touch.campaign_id}`),
      ].join(' '),
    );
    expect(found.sort()).toEqual(told.sort());
    const { expected } = summary;
    expect(found.length).toBe(expected.conversions);
    expect(found.filter((path) => path.includes('impression@')).length).toBe(expected.viewThroughConversions);
    expect(found.filter((path) => !path.includes('@')).length).toBe(expected.unattributedConversions);
    expect(Math.min(expected.viewThroughConversions, expected.unattributedConversions, expected.unclaimedConversions)).toBeGreaterThan(5);
  });
});

function isWholeObject(line: Buffer): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(line);
    return typeof JSON.parse(text) === 'object' && text.split('"user_id"').length === 2;
  } catch {
    return false;
  }
}
