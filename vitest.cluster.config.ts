import { defineConfig } from 'vitest/config';

/** `npm run test:cluster`: tests that need real services, which are started for them. */
export default defineConfig({
  test: {
    name: 'cluster',
    include: ['test/cluster/**/*.test.ts'],
    pool: 'forks',
    globalSetup: ['test/build-kernel.ts'],
    fileParallelism: false,
    passWithNoTests: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
