/*
 * Odd and mutated records by the lane and without it, until they differ or the end:
 *   node test/soak/fuzz-fast-lane.ts [--runs 20000] [--seed 1]
 * What it found is run again with the seed it prints: --seed <that> --runs 1.
 */
import { parseArgs } from 'node:util';
import { LANE_CASES } from '../fast-lane/lane-cases.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20000' }, seed: { type: 'string' } } });
const runs = Number(values.runs);
const firstSeed = Number(values.seed ?? Date.now() % 1_000_000_000);
console.log(`seed ${firstSeed}, ${runs} runs of each case`);

for (let run = 0; run < runs; run++) {
  const seed = firstSeed + run;
  for (const [name, laneCase] of Object.entries(LANE_CASES)) {
    await laneCase(seed).catch((error) => {
      console.error(`\n${name} fails with --seed ${seed} --runs 1\n`);
      throw error;
    });
  }
  if (run % 1_000 === 999) console.log(`${run + 1} runs`);
}
console.log('no difference found');
