/**
 * What a durable append to the collector's log costs, against bare writes and syncs of the same bytes, one after the other:
 *   node bench/log.ts [--bytes 30000] [--seconds 2] [--rounds 3] [--directory /tmp]
 * Each figure is the best round's. With many at once, a sync is shared, which bare writes do not do: there the ratio is what sharing gains.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MARKER_BYTES } from '../src/collector/log/log-entry.ts';
import { NODE_LOG_FILES } from '../src/collector/log/log-files.ts';
import { LOG_LIMITS } from '../src/collector/log/log-options.ts';
import { openLog } from '../src/collector/log/open-log.ts';

const { values } = parseArgs({
  options: {
    bytes: { type: 'string', default: '30000' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const body = randomBytes(Number(values.bytes));
const milliseconds = Number(values.seconds) * 1_000;

let bare = 0;
const appended = new Map([1, 16, 64].map((atOnce) => [atOnce, 0]));
// In turn: what else the machine does is then no one's alone.
for (let round = 0; round < Number(values.rounds); round++) {
  bare = Math.max(bare, await inDirectory(writeBare));
  for (const [atOnce, best] of appended) appended.set(atOnce, Math.max(best, await inDirectory((directory) => appendAtOnce(directory, atOnce))));
}
console.log(line('write + fdatasync', bare));
for (const [atOnce, perSecond] of appended) console.log(`${line(`${atOnce} at once`, perSecond)}   ${(perSecond / bare).toFixed(2)} ×`);

function line(what: string, perSecond: number): string {
  return `${what.padEnd(18)} ${perSecond.toFixed(0).padStart(7)} appends/s ${((perSecond * body.length) / 1e6).toFixed(1).padStart(7)} MB/s`;
}

async function writeBare(directory: string): Promise<number> {
  const file = await open(join(directory, 'bare'), 'wx');
  const perSecond = await during(1, async (index) => {
    await file.write(body, 0, body.length, index * body.length);
    await file.datasync();
  });
  await file.close();
  return perSecond;
}

async function appendAtOnce(directory: string, atOnce: number): Promise<number> {
  const log = await openLog({
    ...LOG_LIMITS,
    folder: join(directory, 'log'),
    files: NODE_LOG_FILES,
    committed: 0,
    nowMicros: () => Date.now() * 1_000,
    newMarker: () => randomBytes(MARKER_BYTES),
    onDamage: (damage) => console.error(damage),
  });
  const perSecond = await during(atOnce, () =>
    log.append({ feed: 'ad-impressions', encoding: 'json', delimiter: ',', receivedAtMicros: Date.now() * 1_000, body }),
  );
  await log.close();
  return perSecond;
}

/** Calls a second, so many at once. */
async function during(atOnce: number, call: (index: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let calls = 0;
  const lanes = Array.from({ length: atOnce }, async () => {
    while (performance.now() - start < milliseconds) await call(calls++);
  });
  await Promise.all(lanes);
  return (calls / (performance.now() - start)) * 1_000;
}

async function inDirectory(measure: (directory: string) => Promise<number>): Promise<number> {
  const directory = mkdtempSync(join(values.directory, 'advertisex-log-'));
  try {
    return await measure(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
