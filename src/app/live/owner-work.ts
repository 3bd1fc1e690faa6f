import { z } from 'zod';
import { AdvertiseXError } from '../../domain/errors.ts';
import { FEEDS, FILE_ENCODINGS } from '../../domain/feeds.ts';
import type { WorkRequest } from '../../engines/remote/protocol.ts';
import type { SharedWork } from '../../engines/remote/serve-reads.ts';
import { Slots } from '../../engines/remote/slots.ts';
import { type IngestProgress, ingestSources } from '../ingest-files.ts';
import type { Instance } from '../instance.ts';
import { replayBeside } from '../quarantine.ts';
import { rulesOf, type WaitingWork, type WorkArguments, type WorkName } from '../shared-work.ts';
import { SourceFiles } from '../source-files.ts';
import { exportLakeBesideBatches } from '../write-lake.ts';
import type { LiveSource, SourceStatus } from './live-source.ts';

const rules = z.string();
const text = z.string().optional();
const ARGUMENTS: { readonly [Name in WorkName]: z.ZodType } = {
  ingest: z.strictObject({
    rules,
    requests: z.array(
      z.strictObject({ feed: z.enum(FEEDS), paths: z.array(z.string()), encoding: z.enum(FILE_ENCODINGS).optional(), delimiter: text, sourceName: text }),
    ),
  }),
  replay: z.strictObject({
    rules,
    filter: z.strictObject({ feed: text, code: text, path: text, since: text, until: text, ids: z.array(z.string()).optional(), all: z.boolean().optional() }),
  }),
  'export-lake': z.strictObject({ everything: z.boolean(), takeOver: z.boolean() }),
  sources: z.null(),
};

type Perform<Name extends WorkName> = (argument: WorkArguments[Name], onProgress: (progress: unknown) => void, signal: AbortSignal) => Promise<unknown>;

/** The lane of ingests that others ask for: one at a time. */
const LANE = 0;
const NAME = 'commands';

/** What other processes have this one do because it holds the data: one piece of work after the other, beside what comes live. */
export class OwnerWork implements LiveSource, SharedWork {
  private readonly instance: Instance;
  private readonly batchRecords: number;
  private readonly sources: () => readonly SourceStatus[];
  private readonly turn = new Slots(1);
  private readonly stopping = new AbortController();
  private readonly underWay = new Set<Promise<unknown>>();
  private waiting = 0;
  private takenRecords = 0;
  private takenFiles = 0;

  constructor(instance: Instance, batchRecords: number, sources: () => readonly SourceStatus[]) {
    this.instance = instance;
    this.batchRecords = batchRecords;
    this.sources = sources;
  }

  start(): void {
    this.instance.workForOthers(this);
  }

  /** Whoever waits is told that it is interrupted; what is committed stays. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.allSettled(this.underWay);
  }

  status(): SourceStatus {
    const state = this.stopping.signal.aborted ? 'stopped' : this.waiting > 0 ? 'taking' : 'idle';
    return {
      name: NAME,
      state,
      takenRecords: this.takenRecords,
      takenFiles: this.takenFiles,
      waiting: Math.max(0, this.waiting - 1),
      refusedFiles: 0,
      trouble: '',
    };
  }

  async perform({ work, argument }: WorkRequest, onProgress: (progress: unknown) => void, gone: AbortSignal): Promise<unknown> {
    if (!isKnown(work)) throw otherVersion(`does not know how to ${work}`);
    const { data: checked, error } = ARGUMENTS[work].safeParse(argument) as z.ZodSafeParseResult<never>;
    if (error !== undefined) throw otherVersion(`cannot read what it is asked to ${work}: ${describe(error)}`, error);
    if (work === 'sources') return this.sources();
    const perform: { readonly [Name in Exclude<WorkName, 'sources'>]: Perform<Name> } = {
      ingest: (...given) => this.ingest(...given),
      replay: (...given) => this.replay(...given),
      'export-lake': (...given) => this.exportLake(...given),
    };
    const signal = AbortSignal.any([gone, this.stopping.signal]);
    const done = this.inTurn(signal, onProgress, () => perform[work](checked, onProgress, signal));
    this.underWay.add(done);
    try {
      return await done;
    } finally {
      this.underWay.delete(done);
    }
  }

  private async inTurn<T>(signal: AbortSignal, onProgress: (progress: unknown) => void, work: () => Promise<T>): Promise<T> {
    if (this.waiting > 0) onProgress({ waitingForOthers: this.waiting } satisfies WaitingWork);
    this.waiting++;
    try {
      return await this.turn.use(signal, work);
    } finally {
      this.waiting--;
    }
  }

  private async ingest({ rules, requests }: WorkArguments['ingest'], onProgress: (progress: IngestProgress) => void, signal: AbortSignal): Promise<unknown> {
    this.requireSameRules(rules);
    const sources = await SourceFiles.open(requests, 1, this.instance.settings.s3, signal);
    try {
      const summary = await ingestSources(this.instance, sources, onProgress, { signal, lane: LANE, batchRecords: this.batchRecords });
      this.takenFiles += summary.files.filter(({ state }) => state === 'taken').length;
      this.takenRecords += summary.outcomes.received;
      return summary;
    } finally {
      await sources.close();
    }
  }

  private async replay({ rules, filter }: WorkArguments['replay'], _onProgress: unknown, signal: AbortSignal): Promise<unknown> {
    this.requireSameRules(rules);
    return replayBeside(this.instance, filter, signal);
  }

  private exportLake({ everything, takeOver }: WorkArguments['export-lake'], onProgress: (progress: unknown) => void, signal: AbortSignal): Promise<unknown> {
    return exportLakeBesideBatches(this.instance, signal, { everything, takeOver, onProgress });
  }

  /** Done by other rules than those of whoever asks, it would be done wrong. */
  private requireSameRules(rules: string): void {
    if (rules === rulesOf(this.instance.settings, this.instance.contracts)) return;
    throw new AdvertiseXError(
      'data_locked',
      'The process that holds the data was started with other settings or contracts than these',
      'Start it again, so that it uses them too; or run this command with the settings and contracts that it has.',
    );
  }
}

function isKnown(work: string): work is WorkName {
  return Object.hasOwn(ARGUMENTS, work);
}

/** Commands of the same version ask for what is known alone. */
function otherVersion(what: string, cause?: unknown): AdvertiseXError {
  return new AdvertiseXError('usage', `The process that holds the data ${what}`, 'Use the same version of AdvertiseX for both.', cause);
}

function describe({ issues: [first] }: z.ZodError): string {
  return first === undefined ? '' : [...first.path.map(String), first.message].join(': ');
}
