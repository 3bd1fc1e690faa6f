import type { ArrivalQueue, Placed } from '../output/arrival-queue.ts';

/** How the records of a feed are written, and varied. */
export interface RecordForm<R> {
  blank(): R;
  put(record: R, queue: ArrivalQueue, arrivalMicros: number, note?: Placed): void;
  /** The same as bytes of its own, to be garbled. */
  bytes(record: R): Buffer;
  /** Another spelling of the same content: a duplicate all the same. */
  respell(record: R): void;
  /** Gives the record an identity of its own. */
  renew(record: R): void;
  /** It carries an explicit id, so other content under it is a conflict. */
  hasId(record: R): boolean;
  /** Changes the content, but nothing that a figure is made of: the totals hold whichever of the two came first. */
  contradict(record: R): void;
}
