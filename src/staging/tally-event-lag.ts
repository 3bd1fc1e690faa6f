import type { EventLagTally } from '../domain/event-lag.ts';
import type { FilledColumn } from './parquet-file.ts';
import { RunColumn } from './run-column.ts';

/**
 * Counts how long after its event each row of a segment was received. Once for a whole segment, over what its columns hold anyway: a
 * record costs nothing more on its way in, whichever way it takes. A segment of no events is left alone.
 */
export function tallyEventLag(columns: readonly (FilledColumn | RunColumn)[], rows: number, tally: EventLagTally): void {
  const times = columns.find(({ name }) => name === 'event_time');
  const receipts = columns.find((column) => column instanceof RunColumn && column.name === 'received_at') as RunColumn | undefined;
  // Every event has a time. Of a column that lacked one, values would not stand in the places of their rows.
  if (times === undefined || receipts === undefined || times.nulls > 0) return;
  const values = times.values();
  const words = new DataView(values.buffer, values.byteOffset, values.byteLength);
  receipts.eachNumber(rows, (receivedAtMicros, from, to) => {
    for (let row = from; row < to; row++) {
      const eventMicros = words.getInt32(8 * row + 4, true) * 0x1_0000_0000 + words.getUint32(8 * row, true);
      tally.add(receivedAtMicros - eventMicros);
    }
  });
}
