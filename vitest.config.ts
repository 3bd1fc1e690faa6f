import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, sep } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Tests that span stages: a lane for each folder of `test/`, with the time that one of its tests may take. None needs a server: those that do are in vitest.cluster.config.ts. */
const SECONDS: Readonly<Record<string, number>> = { properties: 300, faults: 300, e2e: 300, docs: 300 };
const LANES = readdirSync(join(import.meta.dirname, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && !file.startsWith(`cluster${sep}`))
  .map((file) => file.split(sep)[0] as string);

/** What runs beside a broker or a store alone: `npm run test:cluster` runs it, which is not measured. */
const BESIDE_SERVICES = [
  'src/sources/kafka/topic-*.ts',
  'src/app/live/topic-*.ts',
  'src/app/live/consumed-topics.ts',
  'src/app/produce/produce-files.ts',
  'src/object-store/s3/*.ts',
  'src/sources/fetch-object.ts',
  'src/app/fetched-files.ts',
  'src/app/live/bucket-folder.ts',
  'src/lake/{remote,upload}-lake.ts',
];

export default defineConfig({
  test: {
    pool: 'forks',
    globalSetup: 'test/build-kernel.ts',
    // Two tests with an engine each fill two cores; more only makes them wait for each other's memory.
    maxWorkers: Math.max(2, Math.min(4, availableParallelism())),
    passWithNoTests: false,
    projects: [
      { extends: true, test: { name: 'unit', include: ['src/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts'], testTimeout: 60_000 } },
      ...[...new Set(LANES)].sort().map((name) => ({
        extends: true as const,
        test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: (SECONDS[name] ?? 120) * 1_000, hookTimeout: (SECONDS[name] ?? 120) * 1_000 },
      })),
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.test.ts', ...BESIDE_SERVICES],
      reporter: ['text-summary', 'lcovonly'],
      reportOnFailure: true,
      thresholds: { lines: 92, statements: 90, functions: 88, branches: 85 },
    },
  },
});
