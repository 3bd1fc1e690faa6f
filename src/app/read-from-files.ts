import type { ConflictingRecord, SourceChunk } from '../batches/batch.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { decodingFailure } from '../ingest/decoding-failure.ts';
import type { EdgeSettings } from '../ingest/edge-settings.ts';
import { RawRecordReader } from '../ingest/read-raw-records.ts';
import type { RawRecord } from '../staging/staged-chunk.ts';
import type { IngestPlan, PlannedFile } from './plan-ingest.ts';

/** The bytes of records, read from their files again: conflicts are too rare to keep every record's bytes for. `requireGoing` may throw between files. */
export async function readFromFiles(
  records: readonly ConflictingRecord[],
  chunks: readonly SourceChunk[],
  { planned }: IngestPlan,
  edge: EdgeSettings,
  requireGoing: () => void,
): Promise<RawRecord[]> {
  const files = new Map(planned.map((file) => [`${file.request.feed} ${file.source}`, file]));
  const positions = new Map<PlannedFile, number[]>();
  for (const record of records) {
    const file = files.get(`${record.feed} ${record.source}`) as PlannedFile;
    positions.set(file, [...(positions.get(file) ?? []), record.position]);
  }
  const reader = new RawRecordReader(edge);
  const raw = new Map<PlannedFile, Map<number, RawRecord>>();
  for (const [file, wanted] of positions) {
    requireGoing();
    const points = chunks.filter((chunk) => chunk.source === file.source && chunk.feed === file.request.feed).flatMap((chunk) => chunk.resumePoints);
    const reading = file.content.use(({ path: place, modifiedMs }) => reader.read({ ...file.job, place, modifiedMs }, wanted, points));
    raw.set(file, await reading.catch((error) => Promise.reject(decodingFailure(file.path, error))));
  }
  return records.map((record) => {
    const found = raw.get(files.get(`${record.feed} ${record.source}`) as PlannedFile)?.get(record.position);
    if (found === undefined)
      throw new AdvertiseXError(
        'source_changed',
        `Record ${record.position} of ${record.source} is not there any more`,
        'Run the same command again once the file is complete.',
      );
    return found;
  });
}
