import type { PageAsked, Reading } from '../../src/app/instance-figures.ts';
import { AdvertiseXError } from '../../src/domain/errors.ts';
import type { CellValue, ResultTable } from '../../src/domain/result-table.ts';
import type { Figures } from '../../src/server/figures.ts';

/** What a test of the server reads from: each answer is what the test says, and what was asked is noted. */
export interface FakeFigures extends Figures {
  lastBatch: number;
  readonly asked: unknown[][];
  readonly readings: Reading[];
  /** Rows of a query. */
  rows: () => Iterable<readonly CellValue[]> | AsyncIterable<readonly CellValue[]>;
}

const COLUMNS = [
  { name: 'n', kind: 'integer' },
  { name: 't', kind: 'timestamp' },
  { name: 'x', kind: 'text' },
] as const;

export function fakeFigures(): FakeFigures {
  const asked: unknown[][] = [];
  const readings: Reading[] = [];
  const note = (reading: Reading, ...what: unknown[]): void => {
    readings.push(reading);
    asked.push(what);
  };
  const figures: FakeFigures = {
    lastBatch: 7,
    asked,
    readings,
    rows: () => [[1n, 0n, 'a']],
    campaigns: async (options, reading): Promise<ResultTable> => {
      note(reading, 'campaigns', options);
      return { columns: COLUMNS, rows: figures.rows() };
    },
    query: async (sql, reading): Promise<ResultTable> => {
      note(reading, 'query', sql);
      return { columns: COLUMNS, rows: figures.rows() };
    },
    // Batches from 1 to the one that is read as of.
    books: async (list, values, { limit, after }: PageAsked, reading) => {
      note(reading, list, values);
      const newest = after === undefined ? Number(reading.asOf) : Number(after[0]) - 1;
      const ids = Array.from({ length: Math.min(limit, newest) }, (_, index) => BigInt(newest - index));
      const last = ids.at(-1);
      return {
        columns: ['batch_id', 'cause', 'committed_at', 'received', 'accepted', 'duplicate', 'quarantined', 'restated'].map((name) => ({
          name,
          kind: name === 'cause' ? 'text' : name === 'committed_at' ? 'timestamp' : 'integer',
        })),
        rows: ids.map((id) => [id, 'late', id * 1_000_000n, 2n ** 60n, 0n, 0n, 0n, 0n]),
        last: last === undefined || last === 1n ? undefined : [String(last)],
      };
    },
    quarantine: async (filter, _, reading) => {
      note(reading, 'quarantine', filter);
      return { columns: [], rows: [], last: undefined };
    },
    quarantined: async (id, reading) => {
      note(reading, 'quarantined', id);
      return {
        quarantineId: id,
        feed: 'users',
        source: 'http',
        position: 4n,
        encoding: 'json',
        contractVersion: '1.0.0',
        receivedAtMicros: 1n,
        replayedAtMicros: null,
        violations: [],
        raw: Uint8Array.of(0xff),
      };
    },
    explain: async (key, reading) => {
      note(reading, 'explain', key);
      return { eventType: 'click', event: { event_key: key, event_time: 1n, position: 2n ** 60n }, restatements: [], candidates: undefined };
    },
    reconcile: async (reading) => {
      note(reading, 'reconcile');
      return [{ equation: 1, name: 'outcomes', statement: 'a = b', holds: false, columns: COLUMNS, rows: [[1n, 0n, 'b']], brokenRows: 1 }];
    },
    replay: async (filter) => {
      asked.push(['replay', filter]);
      return { replayed: 2, accepted: 1, duplicate: 0, stillQuarantined: 1, batches: [8] };
    },
  };
  return figures;
}

/** Rows without an end, how many of them were taken, and whether they were let go of. */
export function endlessRows(reading: () => Reading | undefined): { taken: number; isClosed: boolean; rows: () => AsyncGenerator<readonly CellValue[]> } {
  const endless = {
    taken: 0,
    isClosed: false,
    async *rows() {
      try {
        for (;;) {
          const stop = reading()?.stop.signal;
          if (stop?.aborted) throw stop.reason instanceof AdvertiseXError ? stop.reason : new AdvertiseXError('interrupted', 'stopped', 'Nothing.');
          endless.taken++;
          yield [1n, 0n, 'x'.repeat(1_000)] as const;
        }
      } finally {
        endless.isClosed = true;
      }
    },
  };
  return endless;
}
