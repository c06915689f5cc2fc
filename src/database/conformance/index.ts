import type { AccountsDatabase } from '../ports.ts';
import { concurrencyConformance } from './concurrency.ts';
import { countersConformance } from './counters.ts';
import { identitiesConformance } from './identities.ts';
import { oneTimeTokensConformance } from './one-time-tokens.ts';
import { refusalsConformance } from './refusals.ts';
import type { Bench, TestRunner } from './runner.ts';
import { sessionsConformance } from './sessions.ts';
import { stringsConformance } from './strings.ts';
import { usersConformance } from './users.ts';

export type { Matchers, TestRunner } from './runner.ts';

/**
 * Tests of every promise that `AccountsDatabase` makes, for whoever writes an adapter. They are bound to no test
 * runner. `open` gives an empty database of its own to each test, which closes it at its end.
 *
 * ```ts
 * import { databaseConformance } from 'graphql-accounts/database/conformance';
 * import { describe, expect, test } from 'vitest';
 *
 * databaseConformance({ describe, test, expect }, async () => myDatabase(await emptySchema()));
 * ```
 */
export function databaseConformance(
  { describe, test, expect }: TestRunner,
  open: () => AccountsDatabase | Promise<AccountsDatabase>,
): void {
  const on: Bench['on'] = (sentence, body) => {
    test(sentence, async () => {
      const db = await open();
      try {
        await body(db);
      } finally {
        await db.close?.();
      }
    });
  };
  const bench: Bench = { describe, expect, on };

  describe('the database', () => {
    on('answers a ping', async (db) => {
      expect(await db.ping?.()).toBe(undefined);
    });
    usersConformance(bench);
    identitiesConformance(bench);
    sessionsConformance(bench);
    oneTimeTokensConformance(bench);
    countersConformance(bench);
    stringsConformance(bench);
    refusalsConformance(bench);
    concurrencyConformance(bench);
  });
}
