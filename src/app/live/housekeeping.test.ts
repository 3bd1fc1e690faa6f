import { describe, expect, it } from 'vitest';
import { Housekeeping, type HousekeepingEvent, type HousekeepingJob } from './housekeeping.ts';

/** A clock that goes on where somebody sleeps, and by what jobs take: all that happens, happens in one order. */
function started(makeJobs: (take: (milliseconds: number) => void) => HousekeepingJob[], untilMilliseconds: number) {
  let now = 0;
  const events: (HousekeepingEvent & { at: number })[] = [];
  let over: () => void;
  const ended = new Promise<void>((resolve) => {
    over = resolve;
  });
  const housekeeping = new Housekeeping({
    jobs: makeJobs((milliseconds) => {
      now += milliseconds;
    }),
    nowMicros: () => now * 1_000,
    sleep: async (milliseconds, signal) => {
      if (now + milliseconds <= untilMilliseconds) now += milliseconds;
      else {
        over();
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      }
    },
    onEvent: (event) => events.push({ ...event, at: now }),
  });
  return { housekeeping, events, ended };
}

const times = (events: readonly { job: string; at: number }[], name: string) => events.filter(({ job }) => job === name).map(({ at }) => at);

describe('housekeeping', () => {
  it('does each job as often as it asks for, one at a time', async () => {
    let working = 0;
    const job = (name: string, everyMilliseconds: number): HousekeepingJob => ({
      name,
      everyMilliseconds,
      work: async () => {
        expect(++working).toBe(1);
        await Promise.resolve();
        working--;
      },
    });
    const { housekeeping, events, ended } = started(() => [job('often', 10), job('seldom', 25)], 50);
    await ended;
    await housekeeping.stop();
    expect(times(events, 'often')).toEqual([10, 20, 30, 40, 50]);
    expect(times(events, 'seldom')).toEqual([25, 50]);
  });

  it('lets a job that takes long come round less often', async () => {
    const { housekeeping, events, ended } = started((take) => [{ name: 'slow', everyMilliseconds: 10, work: async () => take(20) }], 500);
    await ended;
    await housekeeping.stop();
    expect(times(events, 'slow')).toEqual([30, 230, 430]);
  });

  it('tells of a job that fails, tries it again after growing pauses, and does the others meanwhile', async () => {
    let failures = 0;
    const failing = async () => {
      if (++failures < 4) throw new Error(`failure ${failures}`);
    };
    const { housekeeping, events, ended } = started(
      () => [
        { name: 'failing', everyMilliseconds: 1_000, work: failing },
        { name: 'other', everyMilliseconds: 20_000, work: async () => undefined },
      ],
      40_000,
    );
    await ended;
    await housekeeping.stop();
    expect(events.filter(({ job, at }) => job === 'failing' && at < 37_000)).toEqual([
      expect.objectContaining({ what: 'failed', error: new Error('failure 1'), retryInMilliseconds: 5_000, at: 1_000 }),
      expect.objectContaining({ what: 'failed', error: new Error('failure 2'), retryInMilliseconds: 10_000, at: 6_000 }),
      expect.objectContaining({ what: 'failed', error: new Error('failure 3'), retryInMilliseconds: 20_000, at: 16_000 }),
      expect.objectContaining({ what: 'done', at: 36_000 }),
    ]);
    expect(times(events, 'failing').filter((at) => at > 36_000)).toEqual([37_000, 38_000, 39_000, 40_000]);
    expect(times(events, 'other')).toEqual([20_000, 40_000]);
  });

  it('ends with the job that is at work, which is told, and whose failure is nobody’s then', async () => {
    const events: HousekeepingEvent[] = [];
    let begun: () => void;
    const atWork = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const work = (signal: AbortSignal) => {
      begun();
      return new Promise<void>((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    };
    const never = { name: 'never', everyMilliseconds: 1, work: async () => expect.unreachable() };
    const housekeeping = new Housekeeping({
      jobs: [{ name: 'long', everyMilliseconds: 0, work }, never],
      nowMicros: () => 0,
      sleep: async () => undefined,
      onEvent: (event) => events.push(event),
    });
    await atWork;
    await housekeeping.stop();
    expect(events).toEqual([]);
  });
});
