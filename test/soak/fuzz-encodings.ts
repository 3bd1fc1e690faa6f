/*
 * Mutated records by the million through every decoder, until a bug or the end:
 *   node test/soak/fuzz-encodings.ts [--runs 1000000] [--seed 1]
 * What it found is run again with the seed it prints: --seed <that> --runs 1.
 */
import { parseArgs } from 'node:util';
import { FUZZ, fuzzCompressed } from '../encodings/fuzz-cases.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '1000000' }, seed: { type: 'string' } } });
const runs = Number(values.runs);
const firstSeed = Number(values.seed ?? Date.now() % 1_000_000_000);
console.log(`seed ${firstSeed}, ${runs} runs of each encoding`);

const started = performance.now();
for (let run = 0; run < runs; run++) {
  const seed = firstSeed + run;
  for (const [encoding, fuzz] of Object.entries(FUZZ)) {
    // Schemas take longer to make than records to break.
    if (encoding === 'avro' && run % 10 !== 0 && runs > 1) continue;
    await attempt(encoding, seed, fuzz);
  }
  if (run % 100 === 0) await attempt('compressed', seed, fuzzCompressed);
  if (run % 20_000 === 19_999) console.log(`${run + 1} runs, ${Math.round((performance.now() - started) / 1000)} s`);
}
console.log('no bug found');

async function attempt(what: string, seed: number, fuzz: (seed: number) => void | Promise<void>): Promise<void> {
  try {
    await fuzz(seed);
  } catch (error) {
    console.error(`\n${what} fails with --seed ${seed} --runs 1\n`);
    throw error;
  }
}
