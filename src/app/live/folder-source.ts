import { AdvertiseXError } from '../../domain/errors.ts';
import type { Slots } from '../../engines/remote/slots.ts';
import { FolderMemory } from '../../sources/folder-memory.ts';
import type { FolderFile } from '../../sources/scan-folder.ts';
import type { FileContent } from '../file-content.ts';
import { type IngestedFile, type IngestManner, ingestSources } from '../ingest-files.ts';
import type { Instance } from '../instance.ts';
import { SourceFiles } from '../source-files.ts';
import { Backoff, type LiveSource, type Sleep, type SourceEvent, type SourceStatus } from './live-source.ts';
import type { WatchedPlace } from './watched-place.ts';

export interface FolderOptions {
  readonly place: WatchedPlace;
  /** No other ingest that may run at the same time has it. */
  readonly lane: number;
  readonly batchRecords: number;
  /** How many folders take files at the same time. */
  readonly turns: Slots;
  readonly onEvent: (event: SourceEvent) => void;
  readonly sleep: Sleep;
  /** Goes on evenly, whatever is done to the clock. */
  readonly monotonicMs: () => number;
}

/** A folder so large that it takes long to look at is looked at less often. */
const LOOKING_SHARE = 10;
/** Behind a hint more of them follow. */
const HINT_MS = 50;
const RETRY_FIRST_MS = 1_000;
const RETRY_LAST_MS = 30_000;
/** Of one ingest: what comes meanwhile, and other folders, do not wait for longer than that takes. */
const MAX_FILES = 2_000;
const MAX_BYTES = 268_435_456;

/**
 * A folder whose files are taken as they are complete. A file is its content: one that is there under another name is not taken again,
 * and one that has grown is taken as the new file that it is. What fails is tried again; so is a file that cannot be read, less often
 * and beside the others: whether a disk, a link or the file is to blame is not seen from here.
 */
export class FolderSource implements LiveSource {
  private readonly instance: Instance;
  private readonly options: FolderOptions;
  private readonly place: WatchedPlace;
  private readonly memory: FolderMemory;
  private readonly stopping = new AbortController();
  private readonly folderBackoff = new Backoff(RETRY_FIRST_MS, RETRY_LAST_MS);
  private readonly ingestBackoff = new Backoff(RETRY_FIRST_MS, RETRY_LAST_MS);
  /** Told, and not over yet. */
  private problems: ReadonlySet<string> = new Set();
  private readonly refusals = new Map<string, string>();
  private pause = new AbortController();
  private stopWatching: () => void = () => undefined;
  private isWatching = false;
  /** The folder could not be read at the last look. */
  private isAway = false;
  private running: Promise<void> = Promise.resolve();
  private state: SourceStatus['state'] = 'idle';
  /** What the last look took. */
  private lookMs = 0;
  private takenRecords = 0;
  private takenFiles = 0;
  private trouble = '';

  constructor(instance: Instance, options: FolderOptions) {
    this.instance = instance;
    this.options = options;
    this.place = options.place;
    this.memory = new FolderMemory(this.place.quietSeconds * 1_000);
  }

  start(): void {
    this.running = this.run();
  }

  /** The batch that runs is committed; the rest of its file is taken by the next process. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.pause.abort();
    await this.running;
    this.stopWatching();
  }

  status(): SourceStatus {
    const { state, takenRecords, takenFiles, memory, trouble, refusals } = this;
    const { name } = this.place;
    const [refusal] = refusals.values();
    return { name, state, takenRecords, takenFiles, waiting: memory.count('present'), refusedFiles: refusals.size, trouble: trouble || (refusal ?? '') };
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const wait = await this.look();
      if (this.stopping.signal.aborted) break;
      this.pause = new AbortController();
      await this.options.sleep(wait, AbortSignal.any([this.pause.signal, this.stopping.signal]));
    }
    this.state = 'stopped';
  }

  /** Takes what is complete. Says how long it is until there is something to do again. */
  private async look(): Promise<number> {
    const { monotonicMs } = this.options;
    const began = monotonicMs();
    try {
      const { files, problems } = await this.place.look(this.stopping.signal);
      this.memory.look(files, monotonicMs(), this.instance.nowMicros() / 1_000);
      this.lookMs = monotonicMs() - began;
      this.tellProblems(problems);
    } catch (error) {
      return this.failFolder(error as Error);
    }
    if (this.isAway) {
      this.tell('note', `${this.place.name} can be read again.`);
      this.isAway = false;
      this.state = 'idle';
      this.trouble = '';
    }
    this.folderBackoff.worked();
    this.watch();
    const [first, ...more] = this.group();
    if (first === undefined) {
      const next = this.memory.msUntilNext();
      this.state = this.memory.count('present') === 0 ? 'idle' : this.memory.isHeldUp ? 'waiting' : 'settling';
      this.trouble = '';
      const rest = Math.max(this.place.lookEveryMs, LOOKING_SHARE * this.lookMs);
      return Math.max(HINT_MS, Math.min(rest, next ?? rest));
    }
    return this.take([first, ...more]);
  }

  private group(): FolderFile[] {
    const group: FolderFile[] = [];
    let bytes = 0;
    for (const file of this.memory.complete()) {
      if (group.length > 0 && (group.length >= MAX_FILES || bytes + file.bytes > MAX_BYTES)) break;
      group.push(file);
      bytes += file.bytes;
    }
    return group;
  }

  private async take(files: readonly FolderFile[]): Promise<number> {
    const { lane, batchRecords, turns } = this.options;
    const byPath = new Map(files.map((file) => [file.path, file]));
    const settled: [FolderFile, IngestedFile][] = [];
    const contents = new Map<string, FileContent>();
    const manner: IngestManner = {
      signal: this.stopping.signal,
      lane,
      batchRecords,
      onUnreadable: (path, error) => this.refuse(byPath.get(path) as FolderFile, error),
      onSettled: (path, file) => settled.push([byPath.get(path) as FolderFile, file]),
    };
    const { feed, encoding, delimiter, stores } = this.place;
    const request = { feed, paths: [], ...(encoding === undefined ? {} : { encoding }), ...(delimiter === undefined ? {} : { delimiter }) };
    if (this.state !== 'failing') this.state = 'waiting';
    try {
      await turns.use(this.stopping.signal, async () => {
        if (this.state !== 'failing') this.state = 'taking';
        const sources = SourceFiles.from(
          files.map((file) => {
            const sha256 = this.memory.hashOf(file);
            return { file, request, ...(sha256 === undefined ? {} : { sha256 }) };
          }),
          1,
          stores,
        );
        for (const { file, content } of sources.found) contents.set(file.path, content);
        try {
          await ingestSources(this.instance, sources, undefined, manner);
        } finally {
          await sources.close();
        }
      });
      for (const [file, outcome] of settled) await this.settle(file, outcome, (await contents.get(file.path)?.hash()) as string);
    } catch (error) {
      return this.failIngest(error);
    }
    this.ingestBackoff.worked();
    this.state = 'taking';
    this.trouble = '';
    return 0;
  }

  private async settle(file: FolderFile, { state, complete, done, outcomes }: IngestedFile, sha256: string): Promise<void> {
    // Another ingest is at it, which may take long: it is asked for now and then, and not read for that.
    if (!done) return this.memory.hold(file, this.options.monotonicMs(), sha256);
    const hadGrown = this.memory.hasGrown(file);
    this.memory.settle(file);
    this.refusals.delete(file.path);
    if (state === 'taken') {
      this.takenFiles++;
      this.takenRecords += outcomes.received;
      if (!complete) this.tell('warning', `${file.path} is damaged or cut, and taken up to there. Put it there again when you have it whole.`);
      if (hadGrown)
        this.tell(
          'note',
          `${file.path} has changed since it was taken, and is taken anew: ${count(outcomes.duplicate)} of its ${count(outcomes.received)} records are duplicates.`,
        );
    }
    const { away } = this.place;
    try {
      const isSame = await this.place.putAway(file, complete);
      if (!isSame) this.tell('note', `${file.path} has changed while it was taken: it is not ${away}, and looked at anew.`);
    } catch (error) {
      this.tell('warning', `${file.path} is taken, and cannot be ${away}: ${(error as Error).message}`);
    }
  }

  private refuse(file: FolderFile, error: AdvertiseXError): void {
    this.memory.refuse(file, this.options.monotonicMs());
    // One that is written to is no poison: it has changed, and is looked at anew.
    if (error.code === 'source_changed') return;
    // Told once, not each time that it is tried.
    if (this.refusals.get(file.path) !== error.message) this.tell('warning', `${error.message}. It is tried again now and then; the others are taken.`);
    this.refusals.set(file.path, error.message);
  }

  private failFolder(error: Error): number {
    if (this.stopping.signal.aborted) return 0;
    const message = this.place.describeFailure(error);
    this.stopWatching();
    // Told once, not each time that it is tried.
    if (!this.isAway || this.trouble !== message) this.tell('warning', `${message}. It is looked for again and again; the other sources go on.`);
    this.isAway = true;
    this.trouble = message;
    this.state = 'failing';
    return this.folderBackoff.failed();
  }

  private failIngest(error: unknown): number {
    if (this.stopping.signal.aborted) return 0;
    const wait = this.ingestBackoff.failed();
    this.trouble = error instanceof Error ? error.message : String(error);
    this.state = 'failing';
    const code = error instanceof AdvertiseXError ? ` [${error.code}]` : '';
    this.tell('warning', `${this.trouble}${code}. It is tried again in ${wait / 1_000} s; what was committed stays.`);
    return wait;
  }

  private tellProblems(problems: readonly string[]): void {
    for (const problem of problems) if (!this.problems.has(problem)) this.tell('warning', problem);
    this.problems = new Set(problems);
    for (const path of this.refusals.keys()) if (!this.memory.has(path, 'refused')) this.refusals.delete(path);
  }

  private watch(): void {
    if (this.isWatching || this.stopping.signal.aborted) return;
    const close = this.place.watch(
      () => this.hint(),
      () => this.stopWatching(),
    );
    if (close === undefined) return;
    this.isWatching = true;
    this.stopWatching = () => {
      this.isWatching = false;
      close();
    };
  }

  private hint(): void {
    const { pause } = this;
    // What fails is not tried more often for it.
    if (this.state !== 'failing') setTimeout(() => pause.abort(), Math.max(HINT_MS, LOOKING_SHARE * this.lookMs)).unref();
  }

  private tell(level: SourceEvent['level'], message: string): void {
    this.options.onEvent({ source: this.place.name, level, message });
  }
}

function count(value: number): string {
  return value.toLocaleString('en');
}
