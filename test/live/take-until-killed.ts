import { writeSync } from 'node:fs';
import { openInstance } from '../../src/app/instance.ts';
import type { Delivery } from '../../src/collector/collector.ts';
import { instanceOptions } from '../faults/open-instance.ts';
import { openSmallLive } from './open-small-live.ts';

/** The record with a number, as JSON. Every tenth one is broken: it is acknowledged as well, and goes into quarantine. */
export function numbered(number: number): string {
  const user = number % 10 === 9 ? '' : `u${number % 17}`;
  return `${JSON.stringify({ impression_id: `n${number}`, creative_id: 'k', user_id: user, timestamp: '2026-03-02T10:00:00Z', website: 'w.example' })}\n`;
}

/** Numbers of one delivery. */
export const A_DELIVERY = 3;

/**
 * Run as a process: takes numbered records, eight deliveries at once, and says of each, as soon as it is acknowledged, its first number; dies at a
 * step, if one is given. With `archive` it keeps a raw archive of segments of a few deliveries.
 */
const [data, from, step, occurrence, archive] = process.argv.slice(2);
if (data !== undefined) {
  let seen = 0;
  const onStep = (current: string) => {
    if (current === step && ++seen === Number(occurrence)) process.kill(process.pid, 'SIGKILL');
  };
  const settings = { raw_archive: { enabled: archive === 'archive' } };
  const instance = await openInstance(instanceOptions(data, { onStep, settings }));
  const { live } = await openSmallLive(instance, {}, archive === 'archive' ? { logLimits: { segmentBytes: 20_000 }, beforeArchiveStep: onStep } : {});
  let next = Number(from);
  const send = async () => {
    for (;;) {
      const first = next;
      next += A_DELIVERY;
      const body = Buffer.from(Array.from({ length: A_DELIVERY }, (_, index) => numbered(first + index)).join(''));
      const delivery: Delivery = { feed: 'ad-impressions', encoding: 'json', delimiter: ',', body };
      await live.take(delivery).then(
        () => writeSync(1, `${first}\n`),
        () => new Promise((resolve) => setTimeout(resolve, 5)),
      );
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  await Promise.all(Array.from({ length: 8 }, send));
}
