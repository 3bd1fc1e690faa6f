import type { ArchiveStep } from '../../collector/archive/raw-archive.ts';
import type { LogDamage } from '../../collector/log/log-damage.ts';
import { NODE_LOG_FILES } from '../../collector/log/log-files.ts';
import { LOG_LIMITS, type LogOptions } from '../../collector/log/log-options.ts';
import { openLog } from '../../collector/log/open-log.ts';
import type { Instance } from '../instance.ts';
import { LIVE_LIMITS, type LiveEvent, type LiveLimits, type LiveOptions, LivePipeline } from './live-pipeline.ts';
import { LogArchive } from './log-archive.ts';
import { COLLECTOR_SOURCE, committedUpTo, logPositions } from './log-positions.ts';

export interface OpenLiveOptions {
  readonly limits?: Partial<LiveLimits>;
  /** Tests make segments small. */
  readonly logLimits?: Partial<Pick<LogOptions, keyof typeof LOG_LIMITS>>;
  /** Told before each change on disk that the raw archive makes; tests stop the process here. */
  readonly beforeArchiveStep?: (step: ArchiveStep) => void;
  readonly room?: LiveOptions['room'];
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
    ...options.logLimits,
    folder: instance.directory.log,
    files: NODE_LOG_FILES,
    committed: committedUpTo(await logPositions(instance, COLLECTOR_SOURCE)),
    nowMicros: instance.nowMicros,
    newMarker: options.newMarker,
    onDamage: options.onDamage,
  });
  const { onEvent, sleep, room } = options;
  const limits = { ...LIVE_LIMITS, ...options.limits };
  const archive = instance.settings.raw_archive.enabled
    ? await LogArchive.open({ instance, log, bodyBytes: limits.bodyBytes, beforeStep: options.beforeArchiveStep })
    : undefined;
  return LivePipeline.start({ instance, log, limits, archive, room, onEvent, sleep }).catch(async (error) => {
    await log.close();
    throw error;
  });
}
