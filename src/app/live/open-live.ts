import type { LogDamage } from '../../collector/log/log-damage.ts';
import { NODE_LOG_FILES } from '../../collector/log/log-files.ts';
import { LOG_LIMITS } from '../../collector/log/log-options.ts';
import { openLog } from '../../collector/log/open-log.ts';
import type { Instance } from '../instance.ts';
import { LIVE_LIMITS, type LiveEvent, type LiveLimits, LivePipeline } from './live-pipeline.ts';
import { COLLECTOR_SOURCE, committedUpTo, logPositions } from './log-positions.ts';

export interface OpenLiveOptions {
  readonly limits?: Partial<LiveLimits>;
  readonly onEvent: (event: LiveEvent) => void;
  readonly onDamage: (damage: LogDamage) => void;
  /** Eight random bytes that nobody outside can guess. */
  readonly newMarker: () => Uint8Array;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** The collector of an instance, and what brings its records into the tables. It ends with `stop`, before the instance is closed. */
export async function openLive(instance: Instance, options: OpenLiveOptions): Promise<LivePipeline> {
  const log = await openLog({
    ...LOG_LIMITS,
    folder: instance.directory.log,
    files: NODE_LOG_FILES,
    committed: committedUpTo(await logPositions(instance, COLLECTOR_SOURCE)),
    nowMicros: instance.nowMicros,
    newMarker: options.newMarker,
    onDamage: options.onDamage,
  });
  const { onEvent, sleep } = options;
  return LivePipeline.start({ instance, log, limits: { ...LIVE_LIMITS, ...options.limits }, onEvent, sleep });
}
