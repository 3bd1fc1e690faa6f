import { bytesOfSize, type Settings } from '../config/settings.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { type DiskFigures, diskMeasure } from './disk-figures.ts';

export type DiskLevel = 'enough' | 'low' | 'full';

export interface DiskState extends DiskFigures {
  readonly directory: string;
  readonly level: DiskLevel;
  /** How much of what may be used is used: 1 is all of it. */
  readonly share: number;
  /** Undefined: as much as the file system has. */
  readonly limitBytes: number | undefined;
  /** To be left free on the file system. */
  readonly reserveBytes: number;
}

export interface DiskBudgetOptions {
  readonly directory: string;
  readonly limits: Pick<Settings['limits'], 'disk' | 'free_disk'>;
  readonly nowMicros: () => number;
  /** Absent: asks the system. */
  readonly measure?: (() => Promise<DiskFigures>) | undefined;
}

const WARN_SHARE = 0.8;
/** Of the limit: what is under way has to fit in yet. On the file system the reserve is there for that. */
const STOP_SHARE = 0.95;
/** Once stopped, until there is this much more room: who is told to come back is not to be sent away again at once. */
const RESUME_SHARE = 0.9;
/** A file system that is smaller than ten times the reserve keeps a tenth free. */
const MOST_RESERVED = 0.1;

/**
 * Says when records can be taken no longer because the disk would run full: while there is still room for what was taken to get into the
 * tables. Reading goes on, and records are taken again by itself once there is room. All who write to a data directory ask the same one.
 */
export class DiskBudget {
  private readonly options: DiskBudgetOptions;
  private readonly limitBytes: number | undefined;
  private readonly measure: () => Promise<DiskFigures>;
  private readonly listeners = new Set<(state: DiskState) => void>();
  private looking: Promise<DiskState> | undefined;
  /** As it was looked at last. */
  state: DiskState | undefined;

  constructor(options: DiskBudgetOptions) {
    this.options = options;
    this.limitBytes = options.limits.disk === undefined ? undefined : bytesOfSize(options.limits.disk);
    this.measure = options.measure ?? diskMeasure(options.directory, this.limitBytes, options.nowMicros);
  }

  /** Told of each change of level. */
  onChange(listener: (state: DiskState) => void): void {
    this.listeners.add(listener);
  }

  /** A job for every few seconds. Who asks while it looks has the same answer. */
  look(): Promise<DiskState> {
    this.looking ??= this.lookNow().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async lookNow(): Promise<DiskState> {
    const { limitBytes } = this;
    const figures = await this.measure();
    const reserveBytes = Math.min(bytesOfSize(this.options.limits.free_disk), figures.totalBytes * MOST_RESERVED);
    const ofLimit = limitBytes === undefined ? 0 : figures.usedBytes / limitBytes;
    const ofDisk = reserveBytes / Math.max(1, figures.freeBytes);
    const wasFull = this.state?.level === 'full';
    const isFull = ofLimit >= (wasFull ? RESUME_SHARE : STOP_SHARE) || ofDisk >= (wasFull ? RESUME_SHARE : 1);
    const share = Math.max(ofLimit, ofDisk);
    const level = isFull ? 'full' : share >= WARN_SHARE ? 'low' : 'enough';
    const before = this.state?.level ?? 'enough';
    this.state = { ...figures, directory: this.options.directory, level, share, limitBytes, reserveBytes };
    if (level !== before) for (const listener of this.listeners) listener(this.state);
    return this.state;
  }

  /** Why nothing can be taken, in words for anyone; undefined while there is room. */
  get trouble(): { readonly code: 'disk_full'; readonly message: string } | undefined {
    return this.state?.level === 'full' ? { code: 'disk_full', message: 'There is not enough room on the disk to take records' } : undefined;
  }

  /** Looks, and throws where nothing more is to be written. */
  async requireRoom(): Promise<void> {
    const state = await this.look();
    if (state.level === 'full') throw noRoom(state);
  }
}

/** What is to be done about it. */
export function noRoom({ directory, usedBytes, limitBytes, freeBytes, reserveBytes }: DiskState): AdvertiseXError {
  const isLimit = limitBytes !== undefined && usedBytes >= RESUME_SHARE * limitBytes;
  return new AdvertiseXError(
    'disk_full',
    isLimit
      ? `${directory} takes ${megabytes(usedBytes)} of the ${megabytes(limitBytes)} that it may (limits.disk)`
      : `${megabytes(freeBytes)} are free where ${directory} is, and ${megabytes(reserveBytes)} are to be left (limits.free_disk)`,
    'Make room, keep days for a shorter time (retention, then `advertisex expire`), or allow more. What was committed stays; run the same command again.',
  );
}

export function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1_000_000).toLocaleString('en')} MB`;
}
