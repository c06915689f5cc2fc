import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** Another copy than that of the checkout. */
const COPY = process.env.GRAPHQL_16 ?? join(import.meta.dirname, 'node_modules/graphql-16');

/** What touches GraphQL, once more on graphql 16. */
export default defineConfig({
  ...base,
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: join(COPY, 'index.mjs') },
      { find: /^graphql\/(.+)$/, replacement: `${COPY}/$1` },
    ],
  },
  test: {
    ...base.test,
    include: ['test/graphql/**/*.test.ts', 'test/flows/**/*.test.ts'],
    exclude: [
      // It runs the checkout in processes of their own, which have its graphql.
      'test/flows/readme.test.ts',
      // What databases do is the same on both.
      'test/flows/shared-limits.test.ts',
    ],
    // Not inlined, and so of one realm also for a test that loads our modules afresh: this version compares classes.
    server: {
      deps: {
        inline: [/^(?!.*\/node_modules\/(graphql|graphql-16|ioredis|kysely|mongodb|mongoose|mysql2|pg)\/)/],
        external: [/\/node_modules\/graphql(-16)?\//],
      },
    },
    env: { GRAPHQL_MAJOR: '16' },
  },
});
