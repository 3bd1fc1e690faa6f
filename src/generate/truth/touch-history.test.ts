import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClickHistory, ImpressionHistory, NO_CAMPAIGN, type Touch } from './touch-history.ts';

const MINUTE = 60_000_000;
const DAY = 1440 * MINUTE;
const START = Date.UTC(2025, 9, 20) * 1000;

const event = fc.record({ user: fc.nat(3), campaign: fc.integer({ min: NO_CAMPAIGN, max: 2 }), minute: fc.nat(2900), offset: fc.nat(MINUTE - 1) });
const question = fc.record({ user: fc.nat(3), campaign: fc.option(fc.nat(2), { nil: undefined }), micros: fc.integer({ min: START, max: START + 4 * DAY }) });
const sorted = (touches: readonly Touch[]) => touches.map(({ micros, campaign }) => `${micros} ${campaign}`).sort();

describe('ImpressionHistory', () => {
  it('finds what a search through all impressions finds', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), fc.array(question, { minLength: 1, maxLength: 10 }), (events, questions) => {
        // In the order of minutes, but not within one.
        const shown = [...events].sort((a, b) => a.minute - b.minute).map((each) => ({ ...each, micros: START + each.minute * MINUTE + each.offset }));
        const history = new ImpressionHistory(events.length, 4);
        for (const { user, campaign, micros } of shown) history.add(user, campaign, micros);
        for (const { user, campaign, micros } of questions) {
          // A question is asked when its time has come: later impressions are of its own minute at most.
          const from = Math.max(micros, START + 2901 * MINUTE);
          const mine = shown.filter((each) => each.user === user && each.micros <= from && from - each.micros < DAY);
          const ofCampaign = mine.filter((each) => campaign === undefined || each.campaign === campaign);
          expect(sorted(history.touches(user, campaign, from))).toEqual(sorted(ofCampaign.map((each) => ({ type: 'impression', ...each }))));
          expect(history.hasBefore(user, 1, from)).toBe(mine.some((each) => each.campaign === 1));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('forgets what its ring has no room for, and nothing else', () => {
    const history = new ImpressionHistory(3, 2);
    for (let i = 0; i < 5; i++) history.add(i % 2, 7, START + i);
    expect(sorted(history.touches(0, 7, START + 10))).toEqual([`${START + 2} 7`, `${START + 4} 7`]);
    expect(sorted(history.touches(1, 7, START + 10))).toEqual([`${START + 3} 7`]);
  });

  it('looks past an older one that was added later in the same minute', () => {
    const history = new ImpressionHistory(2, 1);
    history.add(0, 1, START + 50e6);
    history.add(0, 1, START + 10e6);
    expect(history.hasBefore(0, 1, START + DAY + 30e6)).toBe(true);
    expect(sorted(history.touches(0, 1, START + DAY + 30e6))).toEqual([`${START + 50e6} 1`]);
  });

  it('has edges: the same time is before, a day is not', () => {
    const history = new ImpressionHistory(1, 1);
    history.add(0, 1, START);
    expect(history.hasBefore(0, 1, START)).toBe(true);
    expect(history.hasBefore(0, 1, START - 1)).toBe(false);
    expect(history.hasBefore(0, 1, START + DAY - 1)).toBe(true);
    expect(history.hasBefore(0, 1, START + DAY)).toBe(false);
  });
});

describe('ClickHistory', () => {
  it('finds the clicks of thirty days, however many there are', () => {
    const history = new ClickHistory(3);
    const clicks = Array.from({ length: 5000 }, (_, i) => ({ user: i % 3, campaign: i % 7, micros: START + i * 30 * MINUTE }));
    for (const { user, campaign, micros } of clicks) history.add(user, campaign, micros);
    for (const [user, campaign, micros] of [
      [0, 3, START + 40 * DAY],
      [1, undefined, START + 104 * DAY],
      [2, 0, START + 31 * DAY],
      [2, 5, START - 1],
    ] as const) {
      const mine = clicks.filter(
        (click) => click.user === user && (campaign === undefined || click.campaign === campaign) && click.micros <= micros && micros - click.micros < 30 * DAY,
      );
      expect(sorted(history.touches(user, campaign, micros))).toEqual(sorted(mine.map((click) => ({ type: 'click', ...click }))));
    }
  });
});
