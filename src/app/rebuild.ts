import type { CommittedBatch } from '../batches/batch.ts';
import { storeSettings } from './derived-settings.ts';
import type { Instance } from './instance.ts';

/**
 * Derives everything anew from the accepted events, by today's settings and reference data: from a day on (YYYY-MM-DD, UTC),
 * or all of it. It is a batch like any other, so what differs is restated with the cause `model`, and the figures of before
 * stay readable as of the batch before.
 */
export function rebuild({ engine, settings, directory, batches }: Instance, from = '1970-01-01'): Promise<CommittedBatch> {
  return batches.apply({
    cause: 'model',
    rebuildFrom: from,
    chunks: [],
    files: [],
    stagingDirectory: directory.staging,
    readRaw: async () => [],
    alsoCommit: () => storeSettings(engine, settings),
  });
}
