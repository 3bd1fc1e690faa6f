import { defineConfig } from 'vitest/config';

/** `npm run test:cluster`: tests that need real services, which are started for them (docs/guides/run-real-services.md). */
export default defineConfig({
  test: {
    name: 'cluster',
    include: ['test/cluster/**/*.test.ts'],
    pool: 'forks',
    globalSetup: ['test/build-kernel.ts', 'test/cluster/bring-up.ts'],
    setupFiles: ['test/cluster/require-running.ts'],
    // All files have the same services, and some of them stop one.
    fileParallelism: false,
    passWithNoTests: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
