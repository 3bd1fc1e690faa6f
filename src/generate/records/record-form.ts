import type { AvroWriter } from './avro-writer.ts';

/** How the records of a feed are written, and varied. */
export interface RecordForm<R> {
  blank(): R;
  write(record: R, out: AvroWriter): void;
  /** Another spelling of the same content: a duplicate all the same. */
  respell(record: R): void;
  /** Gives the record an identity of its own. */
  renew(record: R): void;
  /** It carries an explicit id, so other content under it is a conflict. */
  hasId(record: R): boolean;
  /** Changes the content, but nothing that a figure is made of: the totals hold whichever of the two came first. */
  contradict(record: R): void;
}
