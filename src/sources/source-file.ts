/** A file that records come from, wherever it is. */
export interface SourceFile {
  /** What the tables name it: a path of this machine, or `s3://bucket/key`. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Of its bytes, where whoever has it says so (the etag of an object): another one whenever they are others. */
  readonly version?: string;
}
