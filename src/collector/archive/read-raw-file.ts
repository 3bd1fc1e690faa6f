import { zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { Encoding } from '../../domain/feeds.ts';
import type { ArchivedRecord } from '../../staging/staged-chunk.ts';

interface RawRow {
  readonly source: string;
  readonly position: bigint;
  readonly received_at: bigint;
  readonly encoding: Encoding;
  readonly delimiter: string;
  readonly contract_version: string;
  readonly raw: Uint8Array;
  readonly problem_code: NonNullable<ArchivedRecord['problem']>['code'] | null;
  readonly problem_message: string | null;
}

/** The records of a file, in their order. It is read whole: what the archive writes is of a size for that. */
export async function readRawFile(path: string): Promise<ArchivedRecord[]> {
  try {
    const file = await asyncBufferFromFile(path);
    const rows = await parquetReadObjects({
      file,
      utf8: false,
      compressors: { ZSTD: (input) => zstdDecompressSync(input) },
      // A Date holds no microseconds.
      parsers: { timestampFromMicroseconds: (micros) => micros },
    });
    return (rows as unknown as RawRow[]).map(toRecord);
  } catch (cause) {
    throw new AdvertiseXError(
      'source_unreadable',
      `${path} cannot be read as a file of the raw archive: ${(cause as Error).message}`,
      'Take the file from a backup. Without it, its records can only be left out: move it away.',
      cause,
    );
  }
}

function toRecord(row: RawRow): ArchivedRecord {
  return {
    source: row.source,
    position: Number(row.position),
    receivedAtMicros: Number(row.received_at),
    encoding: row.encoding,
    delimiter: row.delimiter,
    contractVersion: row.contract_version,
    raw: row.raw,
    problem: row.problem_code === null ? undefined : { code: row.problem_code, message: row.problem_message ?? '' },
  };
}
