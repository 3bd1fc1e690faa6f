import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Instance } from '../../src/app/instance.ts';
import type { LiveEvent, LiveLimits, LivePipeline } from '../../src/app/live/live-pipeline.ts';
import { type OpenLiveOptions, openLive } from '../../src/app/live/open-live.ts';

/** A pipeline, and what it told. */
export async function openSmallLive(
  instance: Instance,
  limits: Partial<LiveLimits> = {},
  alsoTell: (event: LiveEvent) => void = () => undefined,
  more: Partial<Pick<OpenLiveOptions, 'logLimits' | 'beforeArchiveStep' | 'room'>> = {},
): Promise<{ live: LivePipeline; events: LiveEvent[] }> {
  const events: LiveEvent[] = [];
  const live = await openLive(instance, {
    limits: { gatherMilliseconds: 5, ...limits },
    ...more,
    onEvent: (event) => {
      events.push(event);
      alsoTell(event);
    },
    // A kill may leave the beginning of an entry; nothing else is expected of these disks.
    onDamage: (damage) => {
      if (damage.kind !== 'cut') throw new Error(JSON.stringify(damage));
    },
    newMarker: () => randomBytes(8),
    sleep: (milliseconds, signal) => wait(Math.min(milliseconds, 20), undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
  });
  return { live, events };
}

/** Until it holds, or for long enough to be sure that it never will. */
export async function eventually(holds: () => Promise<boolean> | boolean, milliseconds = 20_000): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 20) {
    if (await holds()) return;
    await wait(20);
  }
  throw new Error('It never came to be');
}
