import type { AdvertiseXError } from '../domain/errors.ts';
import { RemoteEngine } from '../engines/remote/remote-engine.ts';
import { type DataDirectory, dataDirectory, describeOwner, holderOf, readOwner } from './data-directory.ts';
import type { IngestProgress, IngestSummary } from './ingest-files.ts';
import type { SourceStatus } from './live/live-source.ts';
import type { ReplaySummary } from './quarantine.ts';
import type { WaitingWork, WorkArguments, WorkName } from './shared-work.ts';
import type { InstanceLakeExport } from './write-lake.ts';

interface WorkResults {
  readonly ingest: IngestSummary;
  readonly replay: ReplaySummary;
  readonly 'export-lake': InstanceLakeExport;
  readonly sources: readonly SourceStatus[];
}

interface WorkProgress {
  readonly ingest: IngestProgress;
  readonly replay: never;
  readonly 'export-lake': { readonly slicesDone: number; readonly slicesToDo: number };
  readonly sources: never;
}

/** The process that holds the data, and does for others what needs to write. */
export class OwnerProcess {
  readonly directory: DataDirectory;
  /** `PID 7, …`, for messages. */
  readonly description: string;
  private readonly engine: RemoteEngine;

  private constructor(directory: DataDirectory, description: string, engine: RemoteEngine) {
    this.directory = directory;
    this.description = description;
    this.engine = engine;
  }

  /** Undefined where no process holds the data, or one that works for nobody else. `locked`: why the data could not be opened. */
  static async find(dataFolder: string, locked?: AdvertiseXError): Promise<OwnerProcess | undefined> {
    const directory = dataDirectory(dataFolder);
    const owner = locked === undefined ? await readOwner(directory) : await holderOf(directory, locked);
    if (owner?.reads === undefined || owner.works !== true) return undefined;
    const description = describeOwner(owner);
    const engine = await RemoteEngine.open(owner.reads, description);
    return engine === undefined ? undefined : new OwnerProcess(directory, description, engine);
  }

  async perform<Name extends WorkName>(
    work: Name,
    argument: WorkArguments[Name],
    onProgress: (progress: WorkProgress[Name]) => void = () => undefined,
    onWaiting: (others: number) => void = () => undefined,
  ): Promise<WorkResults[Name]> {
    const result = await this.engine.perform({ work, argument }, (progress) => {
      if (isWaiting(progress)) onWaiting(progress.waitingForOthers);
      else onProgress(progress as WorkProgress[Name]);
    });
    return result as WorkResults[Name];
  }

  /** The owner does no more of what it was asked for. */
  interrupt(): void {
    this.engine.interrupt();
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}

function isWaiting(progress: unknown): progress is WaitingWork {
  return typeof progress === 'object' && progress !== null && 'waitingForOthers' in progress;
}
