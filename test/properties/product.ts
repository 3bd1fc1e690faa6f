import type { ReceivedFile } from '../reference/reference.ts';
import type { ReferenceSettings, Row, Value } from '../reference/words.ts';

export type MeasuredRow = Readonly<Record<string, Value | number>>;

/** What the properties ask of the thing they test: files in, tables out. */
export interface Product {
  /** Takes files in one call, in the order they are given in. All have the same moment of receipt. */
  ingest(files: readonly ReceivedFile[]): Promise<void>;
  /** A table in the reference's form: times as microseconds, dates as text, keys as 32 hex digits. `asOf` is a batch of the product. */
  table(name: string, asOf?: number): Promise<Row[]>;
  /** The campaign report by every model: ratios are numbers, money in micros. */
  report(asOf?: number): Promise<MeasuredRow[]>;
  /** The number of the last committed batch, 0 before the first. */
  lastBatch(): Promise<number>;
  /** Derives everything again from the accepted events, by other settings if given. Resolves to the number of rows that were restated. */
  rebuild(settings?: ReferenceSettings): Promise<number>;
  /** Folds sums together, in slices of so many rows. */
  fold(sliceRows: number): Promise<void>;
  /** Lets go of all batches before the last one that was folded, but for some. */
  forget(keep: readonly number[]): Promise<void>;
  /** Takes quarantined records through the same path again. */
  replay(): Promise<void>;
  /** The equations of SEMANTICS §10 that are broken, with the rows that break them. */
  recon(): Promise<readonly string[]>;
  close(): Promise<void>;
}
