import type { CollectorLog } from '../../src/collector/log/collector-log.ts';
import type { LogDamage } from '../../src/collector/log/log-damage.ts';
import type { LogEntry, LogPosition } from '../../src/collector/log/log-entry.ts';
import type { LogFiles } from '../../src/collector/log/log-files.ts';
import type { LogOptions } from '../../src/collector/log/log-options.ts';
import { openLog } from '../../src/collector/log/open-log.ts';
import type { PlacedEntry } from '../../src/collector/log/read-segments.ts';

export const FOLDER = '/log';

/** Small limits, a clock that stands, markers that count, and what was reported. */
export interface SmallLog {
  readonly log: CollectorLog;
  readonly damages: LogDamage[];
}

let markers = 0;

export async function openSmallLog(files: LogFiles, options: Partial<LogOptions> = {}): Promise<SmallLog> {
  const damages: LogDamage[] = [];
  const log = await openLog({
    folder: FOLDER,
    files,
    segmentBytes: 1_000,
    segmentSeconds: 60,
    maxEntryBytes: 5_000,
    maxWaitingBytes: 1_000_000,
    committed: 0,
    nowMicros: () => 0,
    newMarker: () => {
      const marker = Buffer.from('f0e1d2c300000000', 'hex');
      marker.writeUInt32BE(++markers, 4);
      return marker;
    },
    onDamage: (damage) => damages.push(damage),
    ...options,
  });
  return { log, damages };
}

export function entryOf(body: string | Uint8Array, entry: Partial<LogEntry> = {}): LogEntry {
  return { feed: 'ad-impressions', encoding: 'json', delimiter: ',', receivedAtMicros: 1_767_225_600_000_000, body: Buffer.from(body), ...entry };
}

export async function readAll(entries: AsyncIterable<PlacedEntry>): Promise<PlacedEntry[]> {
  const all: PlacedEntry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

export async function readBodies(log: CollectorLog, from: LogPosition = 0): Promise<[LogPosition, string][]> {
  return (await readAll(log.read(from))).map(({ position, entry }) => [position, Buffer.from(entry.body).toString('latin1')]);
}
