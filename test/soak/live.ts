/*
 * `up` for an hour under a steady load, with kills, pauses, slow clients, damaged bodies, and other processes that read:
 *   node test/soak/live.ts [--minutes 60] [--rate 2000] [--seed 1] [--data DIR]
 * Fails where something is lost or there twice, where an equation does not hold, where it takes more than 1 GB, or where its memory grows.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runSoak, type Sample } from './run-soak.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, rate: { type: 'string', default: '2000' }, seed: { type: 'string' }, data: { type: 'string' } },
});
const seed = values.seed ?? String(Date.now() % 1_000_000_000);
const data = values.data ?? mkdtempSync(join(tmpdir(), 'advertisex-soak-'));
mkdirSync(data, { recursive: true });
if (readdirSync(data).length > 0) throw new Error(`${data} is not empty`);
console.log(`seed ${seed}, ${values.minutes} minutes, ${values.rate} records a second, data in ${data}`);
console.log('     s process  RSS MB fresh s   database MB  WAL MB  log MB  acknowledged');

const { samples, faults, acknowledged, failures } = await runSoak({
  ...{ data, seed, seconds: 60 * Number(values.minutes), recordsPerSecond: Number(values.rate), sampleSeconds: 10, faultSeconds: 20 },
  onSample: (sample) => console.log(row(sample)),
});
const most = (of: (sample: Sample) => number) => Math.max(0, ...samples.map(of));
console.log(
  `\n${acknowledged.toLocaleString('en')} records acknowledged; ${Object.entries(faults)
    .map(([fault, times]) => `${times} × ${fault}`)
    .join(', ')}`,
);
console.log(
  `at most: ${most(({ rssMegabytes }) => rssMegabytes).toFixed(0)} MB of memory, ${most(({ freshnessSeconds }) => freshnessSeconds).toFixed(1)} s behind`,
);
for (const failure of failures) console.log(failure);
console.log(failures.length === 0 ? 'nothing lost, nothing doubled' : `\nsomething is wrong; the same load again: --seed ${seed}`);
if (failures.length === 0 && values.data === undefined) rmSync(data, { recursive: true });
process.exitCode = failures.length === 0 ? 0 : 1;

function row({ atSeconds, life, rssMegabytes, freshnessSeconds, databaseMegabytes, walMegabytes, logMegabytes, acknowledged }: Sample): string {
  const cells = [atSeconds.toFixed(0), life, rssMegabytes.toFixed(0), freshnessSeconds.toFixed(2), databaseMegabytes.toFixed(1), walMegabytes.toFixed(1)];
  const widths = [6, 8, 8, 8, 14, 8];
  return `${cells.map((cell, index) => String(cell).padStart(widths[index] as number)).join('')}${logMegabytes.toFixed(1).padStart(8)}${acknowledged.toLocaleString('en').padStart(14)}`;
}
