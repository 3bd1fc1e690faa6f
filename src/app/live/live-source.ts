/** One of the ways in which records come to a running `up`. */
export interface LiveSource {
  /** Begins to take. It throws nothing later: what fails is told, and tried again. */
  start(): void;
  /** Takes no more. Resolves once all that it took is committed, or is where the next process finds it. */
  stop(): Promise<void>;
  status(): SourceStatus;
}

export interface SourceStatus {
  readonly name: string;
  /** `settling`: what is there is not complete yet. `waiting`: for another one to be done. `failing`: it is tried again. */
  readonly state: 'idle' | 'settling' | 'waiting' | 'taking' | 'failing' | 'ended' | 'stopped';
  /** Since the process began. */
  readonly takenRecords: number;
  /** Files for a folder, one for a piped input that has ended. */
  readonly takenFiles: number;
  /** Known, and not taken yet: files of a folder, records of the collector. */
  readonly waiting: number;
  /** They could not be read, and are tried again now and then. */
  readonly refusedFiles: number;
  /** The last thing that went wrong and is not over; empty where there is none. */
  readonly trouble: string;
}

/** What operators are told. */
export interface SourceEvent {
  readonly source: string;
  readonly level: 'note' | 'warning';
  readonly message: string;
}

/** Resolves after so many milliseconds, or once the signal is aborted. */
export type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

/** How long to wait before what failed is tried again: longer each time. */
export class Backoff {
  private next: number;
  private readonly first: number;
  private readonly last: number;

  constructor(firstMilliseconds: number, lastMilliseconds: number) {
    this.first = firstMilliseconds;
    this.last = lastMilliseconds;
    this.next = firstMilliseconds;
  }

  failed(): number {
    const wait = this.next;
    this.next = Math.min(this.last, 2 * wait);
    return wait;
  }

  worked(): void {
    this.next = this.first;
  }
}
