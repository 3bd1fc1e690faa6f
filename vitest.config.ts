import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests that span stages, each lane with the time one of its tests may take. All need no server. */
const LANES = { architecture: 30, 'command-line': 60, conformance: 60, golden: 60, properties: 300, faults: 300, e2e: 300, docs: 120 };

export default defineConfig({
  test: {
    pool: 'forks',
    // Two tests with an engine each fill two cores; more only makes them wait for each other's memory.
    maxWorkers: Math.max(2, Math.min(4, availableParallelism())),
    passWithNoTests: false,
    projects: [
      { extends: true, test: { name: 'unit', include: ['src/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts'], testTimeout: 20_000 } },
      ...Object.entries(LANES).map(([name, seconds]) => ({
        extends: true as const,
        test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: seconds * 1_000, hookTimeout: seconds * 1_000 },
      })),
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.test.ts'],
      reporter: ['text-summary', 'lcovonly'],
      reportOnFailure: true,
      thresholds: { lines: 85, functions: 85, branches: 75 },
    },
  },
});
