import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/stores.ts',
    // One copy of graphql: without this, vitest loads the ESM build beside the CommonJS one that
    // libraries require, and errors are masked because `instanceof GraphQLError` is false.
    // The drivers have nothing to do with it, and some cannot be loaded in this way.
    server: { deps: { inline: [/^(?!.*\/node_modules\/(ioredis|kysely|mongodb|mongoose|mysql2|pg)\/)/] } },
    maxWorkers: 2,
    // Only what hangs gets here: a busy machine is no reason to fail.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
