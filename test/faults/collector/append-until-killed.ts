import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { MARKER_BYTES } from '../../../src/collector/log/log-entry.ts';
import { NODE_LOG_FILES } from '../../../src/collector/log/log-files.ts';
import { LOG_LIMITS, type LogOptions } from '../../../src/collector/log/log-options.ts';
import { openLog } from '../../../src/collector/log/open-log.ts';

/** A log of real files, in small segments. */
export function killedLogOptions(folder: string, onDamage: LogOptions['onDamage']): LogOptions {
  return {
    ...LOG_LIMITS,
    folder,
    files: NODE_LOG_FILES,
    segmentBytes: 500_000,
    committed: 0,
    nowMicros: () => Date.now() * 1_000,
    newMarker: () => randomBytes(MARKER_BYTES),
    onDamage,
  };
}

/** What stands in an entry behind its number. */
export function fillingOf(number: number): string {
  return 'x'.repeat((number * 97) % 30_011);
}

/** Run as a process: appends numbered entries, eight at once, and says of each, as soon as it is acknowledged, its position and number. */
const [folder, from] = process.argv.slice(2);
if (folder !== undefined) {
  const log = await openLog(killedLogOptions(folder, () => undefined));
  let number = Number(from);
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (;;) {
        const mine = number++;
        const body = Buffer.from(`${mine} ${fillingOf(mine)}`);
        const position = await log.append({ feed: 'ad-impressions', encoding: 'json', delimiter: ',', receivedAtMicros: 0, body });
        writeSync(1, `${position} ${mine}\n`);
      }
    }),
  );
}
