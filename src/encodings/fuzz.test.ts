import { describe, expect, it } from 'vitest';
import { FUZZ, fuzzCompressed } from '../../test/encodings/fuzz-cases.ts';

// The same seeds in every run, so that a red test is red again. New ones are for test/soak/fuzz-encodings.ts.
const RUNS = { json: 2500, csv: 2500, avro: 250 };

describe('mutated input', () => {
  it.each(['json', 'csv', 'avro'] as const)(
    'of %s is decoded as a plain reading of the rules does, in any chunks',
    (encoding) => {
      for (let seed = 1; seed <= RUNS[encoding]; seed++) {
        try {
          FUZZ[encoding](seed);
        } catch (error) {
          expect.fail(`node test/soak/fuzz-encodings.ts --seed ${seed} --runs 1 (${encoding})\n${(error as Error).stack}`);
        }
      }
    },
    240_000,
  );

  it('that is compressed never throws, and never passes for whole', async () => {
    for (let seed = 1; seed <= 60; seed++) await fuzzCompressed(seed);
  }, 240_000);
});
