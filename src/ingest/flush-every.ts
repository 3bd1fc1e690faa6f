import type { RecordSink } from '../encodings/decoder.ts';
import type { RecordReceiver } from './record-receiver.ts';

/**
 * The receiver ends a chunk by itself where a segment is full. Where batches are smaller than that, it is told to after so many
 * records: a batch is made of whole chunks.
 */
export function flushEvery(records: number, firstPosition: number, receiver: RecordReceiver): RecordSink {
  let next = firstPosition + records;
  const flushAt = (position: number): void => {
    if (position < next) return;
    receiver.flush();
    next = position + records;
  };
  return {
    record: (slots) => {
      flushAt(slots.recordNumber);
      receiver.record(slots);
    },
    malformed: (problem) => {
      flushAt(problem.recordNumber);
      receiver.malformed(problem);
    },
  };
}
