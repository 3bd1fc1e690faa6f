import { AdvertiseXError } from '../../domain/errors.ts';
import type { EngineValue, ReadStatement } from '../engine.ts';
import type { BoundedReads, BoundedResult } from './bounded-reads.ts';
import { type AskedRows, ReadOnlyEngine } from './read-only-engine.ts';

export type Reads = Pick<BoundedReads, 'read'>;

export interface BesideOptions {
  /** What is read where no batch is named. */
  readonly latest?: number | null;
  /** Of each statement, where it is not that of all who read. */
  readonly limitMs?: number;
  /** What is ended by a limit leaves the statements after it alone. */
  readonly goesOn?: boolean;
}

/** The tables that this process owns, read beside its own work: by whoever asks it over HTTP, say. */
export class BesideEngine extends ReadOnlyEngine {
  readonly capabilities = { name: 'beside', transactions: false };
  private readonly reads: Reads;
  private readonly stop: AbortController;
  private readonly limitMs: number | undefined;
  private readonly goesOn: boolean;

  /** Aborting `stop` ends what is read. It is aborted, with why, when what is read is ended by one of its limits, unless it `goesOn`. */
  constructor(reads: Reads, stop: AbortController, { latest = null, limitMs, goesOn = false }: BesideOptions = {}) {
    super(latest);
    this.reads = reads;
    this.stop = stop;
    this.limitMs = limitMs;
    this.goesOn = goesOn;
  }

  interrupt(): void {
    this.stop.abort();
  }

  async close(): Promise<void> {
    this.stop.abort();
  }

  protected async ask(statement: ReadStatement): Promise<AskedRows> {
    const result = await this.reads.read(statement, this.stop.signal, this.limitMs);
    if (!this.goesOn) result.over.addEventListener('abort', () => this.stop.abort(result.over.reason), { once: true });
    return { columns: result.columns, rows: rowsOf(result) };
  }

  protected refusal(): AdvertiseXError {
    return new AdvertiseXError('data_locked', 'What is read beside a running process cannot write', 'Send records to it instead.');
  }
}

async function* rowsOf(result: BoundedResult): AsyncGenerator<readonly EngineValue[]> {
  try {
    for (let rows = await result.next(); rows !== undefined; rows = await result.next()) yield* rows;
  } finally {
    result.close();
  }
}
