import fc from 'fast-check';
import { expect, it } from 'vitest';
import { failure, MemoryFiles } from '../../../test/collector/memory-files.ts';
import { entryOf, openSmallLog, readBodies, type SmallLog } from '../../../test/collector/small-log.ts';
import type { LogPosition } from './log-entry.ts';

/**
 * The bugs this hunts: an entry that is acknowledged and not there, two of one number, one that is read twice or out of order, a
 * segment that is dropped with something in it that is still wanted, and an opening that trips over what a crash left.
 */
type Step =
  | { readonly step: 'append'; readonly sizes: readonly number[] }
  | { readonly step: 'age' | 'close' | 'kill' }
  | { readonly step: 'lose power'; readonly keep: number }
  | { readonly step: 'fail'; readonly after: number; readonly code: 'ENOSPC' | 'EIO' }
  | { readonly step: 'read' | 'drop'; readonly at: number };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ step: fc.constant('append' as const), sizes: fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 6 }) }),
  },
  { weight: 3, arbitrary: fc.record({ step: fc.constantFrom('age', 'close', 'kill') }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('lose power' as const), keep: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('fail' as const), after: fc.integer({ min: 0, max: 6 }), code: fc.constantFrom('ENOSPC', 'EIO') }) },
  { weight: 3, arbitrary: fc.record({ step: fc.constantFrom('read', 'drop'), at: share }) },
);

it('reads back exactly what it acknowledged, whatever happens in between', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let files = new MemoryFiles();
      let now = 0;
      let sent = 0;
      /** By position: what was acknowledged, and what a kill or a failure left without an answer. */
      const acknowledged = new Map<LogPosition, string>();
      const unanswered = new Set<string>();
      let dropped: LogPosition = 0;
      const options = { nowMicros: () => now };
      const reopen = async (): Promise<SmallLog> => openSmallLog(files, { ...options, committed: dropped });
      let { log, damages } = await reopen();

      const append = async (size: number) => {
        const body = `${sent++} ${'x'.repeat(size)}`;
        unanswered.add(body);
        const position = await log.append(entryOf(body)).catch(() => undefined);
        if (position === undefined) return;
        expect(acknowledged.has(position)).toBe(false);
        acknowledged.set(position, body);
        unanswered.delete(body);
      };
      const check = async (from: LogPosition) => {
        const bodies = await readBodies(log, from);
        const positions = bodies.map(([position]) => position);
        expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
        const expected = [...acknowledged].filter(([position]) => position >= from && position >= dropped);
        for (const [position, body] of expected) expect(bodies).toContainEqual([position, body]);
        for (const [position, body] of bodies) expect(acknowledged.get(position) === body || unanswered.has(body)).toBe(true);
        expect(damages.filter(({ kind }) => kind !== 'cut')).toEqual([]);
      };

      for (const done of steps) {
        if (done.step === 'append') await Promise.all(done.sizes.map(append));
        else if (done.step === 'age') now += 61_000_000;
        else if (done.step === 'read') await check(Math.floor(done.at * log.nextPosition));
        else if (done.step === 'drop') {
          dropped = Math.max(dropped, Math.floor(done.at * (log.nextPosition + 1)));
          await log.dropBefore(dropped);
        } else if (done.step === 'fail') {
          let calls = done.after;
          files.failing = (call) => (call !== 'close' && calls-- === 0 ? failure(done.code) : undefined);
          await Promise.all([append(10), append(300), append(500)]);
          await append(5);
          files.failing = () => undefined;
          // As an operator does.
          if (done.code === 'EIO') ({ log, damages } = await reopen());
        } else {
          if (done.step === 'close') await log.close();
          if (done.step === 'lose power') files = files.afterPowerLoss(done.keep);
          ({ log, damages } = await reopen());
        }
      }
      ({ log, damages } = await reopen());
      await check(0);
      await append(1);
      await check(log.nextPosition - 1);
    }),
    { numRuns: 400, seed: 20_261_121 },
  );
});
