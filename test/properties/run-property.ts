/**
 * How much the properties try: a little in every test run, as much as is asked for in a soak, which draws its own seed and names it
 * when something fails:
 *
 *     PROPERTY_RUNS=500 npx vitest run --project properties --testTimeout 36000000
 *     PROPERTY_RUNS=1 PROPERTY_SEED=… PROPERTY_PATH=… npx vitest run --project properties -t 'the title'
 */
import fc from 'fast-check';
import type { ReferenceSettings } from '../reference/words.ts';
import { openDuckDbProduct } from './duckdb-product.ts';
import type { Product } from './product.ts';

export async function runProperty<T>(arbitrary: fc.Arbitrary<T>, runs: number, holds: (value: T) => Promise<void>): Promise<void> {
  const { PROPERTY_RUNS, PROPERTY_SEED, PROPERTY_PATH } = process.env;
  await fc.assert(fc.asyncProperty(arbitrary, holds), {
    // Shrinking runs the product again and again: what it has found by then is what is reported.
    interruptAfterTimeLimit: PROPERTY_RUNS === undefined ? 240_000 : 36_000_000,
    numRuns: PROPERTY_RUNS === undefined ? runs : Number(PROPERTY_RUNS),
    seed: PROPERTY_SEED === undefined ? (PROPERTY_RUNS === undefined ? 20_260_310 : Date.now() % 2 ** 31) : Number(PROPERTY_SEED),
    ...(PROPERTY_PATH === undefined ? {} : { path: PROPERTY_PATH }),
  });
}

/** Opens a product for one run, and takes it down whatever happens. */
export async function withProduct(settings: ReferenceSettings, use: (product: Product) => Promise<void>): Promise<void> {
  const product = await openDuckDbProduct(settings);
  try {
    await use(product);
  } finally {
    await product.close();
  }
}
