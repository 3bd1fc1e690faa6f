import type { FolderFile } from './scan-folder.ts';

/** Long enough to see that a file whose time is old is not written to by somebody whose clock is. */
const SECOND_LOOK_MS = 500;

/** How long a file that could not be taken is left alone, at first and, twice as long each time, at most. */
const HELD_MS = { first: 1_000, last: 30_000 };
/** A disk or a network may be well again soon, and what is wrong with the file itself costs a reading an hour. */
const REFUSED_MS = { first: 10_000, last: 3_600_000 };

interface Remembered {
  readonly file: FolderFile;
  /** Since when it has been as it is. */
  readonly sinceMs: number;
  /** `taken` and `refused` hold for the file as it is: one that changes is looked at anew. A refused one is tried again all the same. */
  readonly state: 'present' | 'taken' | 'refused';
  /** It was taken before it came to be as it is. */
  readonly hasGrown: boolean;
  /** It is left alone until then, though it is complete. */
  readonly again?: { readonly atMs: number; readonly waitMs: number };
  /** Of its content: it is not read again to know it. */
  readonly sha256?: string;
}

/** What is known of the files of a watched folder: which of them are complete and not taken yet. Pure: the time is handed in. */
export class FolderMemory {
  private readonly quietMs: number;
  private files = new Map<string, Remembered>();
  private nowMs = 0;
  private wallMs = 0;

  /** A file that has not changed for so long is complete. 0: any file is, as in a folder that files are only moved into. */
  constructor(quietMs: number) {
    this.quietMs = quietMs;
  }

  /** The folder as it is now. `nowMs` goes on evenly; `wallMs` is the time by which files are dated. What is not there any more is forgotten. */
  look(files: readonly FolderFile[], nowMs: number, wallMs: number): void {
    this.nowMs = nowMs;
    this.wallMs = wallMs;
    const before = this.files;
    this.files = new Map(
      files.map((file) => {
        const known = before.get(file.path);
        if (known !== undefined && known.file.fingerprint === file.fingerprint) return [file.path, known];
        return [file.path, { file, sinceMs: nowMs, state: 'present', hasGrown: known !== undefined && (known.state === 'taken' || known.hasGrown) }];
      }),
    );
  }

  /** Complete, and to be taken now: those that came first before others, and before those that were refused. */
  complete(): FolderFile[] {
    return [...this.files.values()]
      .filter((remembered) => remembered.state !== 'taken' && this.msUntilTaken(remembered) <= 0)
      .sort(
        ({ file: a, state: stateA }, { file: b, state: stateB }) =>
          Number(stateA === 'refused') - Number(stateB === 'refused') || a.modifiedMs - b.modifiedMs || (a.name < b.name ? -1 : 1),
      )
      .map(({ file }) => file);
  }

  /** How long until another file can be complete, or is tried again; undefined where none is waited for. */
  msUntilNext(): number | undefined {
    const waits = [...this.files.values()].filter(({ state }) => state !== 'taken').map((remembered) => this.msUntilTaken(remembered));
    return waits.length === 0 ? undefined : Math.max(0, Math.min(...waits));
  }

  /** It is taken as `file` says that it was; where it has changed since, that is another file. */
  settle({ path, fingerprint }: FolderFile): void {
    const known = this.files.get(path);
    if (known === undefined) return;
    if (known.file.fingerprint === fingerprint) this.files.set(path, { ...known, state: 'taken', hasGrown: false });
    else this.files.set(path, { ...known, hasGrown: true });
  }

  /** Somebody else has it in hand: it is left alone for a while, longer each time. */
  hold(file: FolderFile, nowMs: number, sha256: string): void {
    this.leaveAlone(file, nowMs, HELD_MS, { state: 'present', sha256 });
  }

  /** It could not be read or decoded: it is left alone for longer each time, until it changes. */
  refuse(file: FolderFile, nowMs: number): void {
    this.leaveAlone(file, nowMs, REFUSED_MS, { state: 'refused' });
  }

  /** A file is complete, and left alone because somebody else has it in hand. */
  get isHeldUp(): boolean {
    return [...this.files.values()].some(({ state, again }) => state === 'present' && again !== undefined);
  }

  /** Of its content, where that was told of the file as it is. */
  hashOf({ path, fingerprint }: FolderFile): string | undefined {
    const known = this.files.get(path);
    return known?.file.fingerprint === fingerprint ? known.sha256 : undefined;
  }

  /** Whether the file was taken when it was another one. */
  hasGrown({ path }: FolderFile): boolean {
    return this.files.get(path)?.hasGrown === true;
  }

  has(path: string, state: Remembered['state']): boolean {
    return this.files.get(path)?.state === state;
  }

  count(state: Remembered['state']): number {
    let count = 0;
    for (const remembered of this.files.values()) if (remembered.state === state) count++;
    return count;
  }

  private leaveAlone({ path, fingerprint }: FolderFile, nowMs: number, { first, last }: typeof HELD_MS, why: Pick<Remembered, 'state' | 'sha256'>): void {
    const known = this.files.get(path);
    if (known === undefined || known.file.fingerprint !== fingerprint) return;
    const waitMs = known.again === undefined || known.state !== why.state ? first : Math.min(last, 2 * known.again.waitMs);
    this.files.set(path, { ...known, ...why, again: { atMs: nowMs + waitMs, waitMs } });
  }

  private msUntilTaken(remembered: Remembered): number {
    const { again } = remembered;
    const untilComplete = this.msUntilComplete(remembered);
    return again === undefined ? untilComplete : Math.max(untilComplete, again.atMs - this.nowMs);
  }

  /** By what was seen of it, or, for one that was moved here when it was done, by its own time and a second look. */
  private msUntilComplete({ file, sinceMs }: Remembered): number {
    const seenFor = this.nowMs - sinceMs;
    const bySight = this.quietMs - seenFor;
    const byDate = Math.max(this.quietMs - (this.wallMs - file.modifiedMs), Math.min(this.quietMs, SECOND_LOOK_MS) - seenFor);
    return Math.min(bySight, byDate);
  }
}
