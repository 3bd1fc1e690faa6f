import { PassThrough } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { Instance } from '../../src/app/instance.ts';
import type { LiveLimits, LivePipeline } from '../../src/app/live/live-pipeline.ts';
import type { SourceEvent } from '../../src/app/live/live-source.ts';
import type { WatchedFolder } from '../../src/app/live/local-folder.ts';
import { LiveSources, type SourcesOptions } from '../../src/app/live/open-sources.ts';
import type { Feed } from '../../src/domain/feeds.ts';
import { openSmallLive } from './open-small-live.ts';

export interface SmallSources {
  readonly live: LivePipeline;
  readonly sources: LiveSources;
  /** What is written here is piped in. */
  readonly input: PassThrough;
  readonly told: SourceEvent[];
  /** Of sources whose name ends so. */
  readonly of: (name: string) => ReturnType<LiveSources['status']>[number];
  readonly stop: () => Promise<void>;
}

/** A collector and other sources that do not wait for long. */
export async function openSmallSources(
  instance: Instance,
  folders: readonly (Pick<WatchedFolder, 'feed' | 'path'> & Partial<WatchedFolder>)[],
  pipe?: Omit<NonNullable<SourcesOptions['pipe']>, 'input'> & { readonly feed: Feed },
  limits: Partial<LiveLimits> = {},
  { monotonicMs = () => performance.now(), buckets = [] }: Partial<Pick<SourcesOptions, 'monotonicMs' | 'buckets'>> = {},
): Promise<SmallSources> {
  const { live } = await openSmallLive(instance, limits);
  const told: SourceEvent[] = [];
  const input = new PassThrough();
  const sources = new LiveSources(instance, {
    live,
    folders: folders.map((folder) => ({ quietSeconds: 0, after: 'keep' as const, ...folder })),
    buckets,
    ...(pipe === undefined ? {} : { pipe: { ...pipe, input } }),
    onEvent: (event) => told.push(event),
    sleep: (milliseconds, signal) => wait(Math.min(milliseconds, 20), undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
    monotonicMs,
  });
  sources.start();
  const stop = async () => {
    await sources.stop();
    await live.stop();
  };
  const of = (name: string) => sources.status().find((status) => status.name.endsWith(name)) as ReturnType<LiveSources['status']>[number];
  return { live, sources, input, told, of, stop };
}
