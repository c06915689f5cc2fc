import { afterAll, beforeAll, describe, test } from 'vitest';
import { ALL_STORES_REQUIRED } from '../servers/process.ts';
import type { RunningStore, StoreUnderTest } from '../servers/stores.ts';
import { exercised } from '../stores.ts';

/** `on(sentence, body)` is a test on the running store; a store that is not on this machine skips it. */
export type On = (sentence: string, body: (store: RunningStore) => Promise<void>) => void;

interface Suite {
  /** Once the store runs. */
  prepare?(store: RunningStore): Promise<void>;
  /** Before the store ends. */
  finish?(): Promise<void>;
  tests(on: On): void;
}

/** Holds every store to a suite, all side by side: most of their time they wait. */
export function describeEachStore(
  title: string,
  stores: readonly StoreUnderTest[],
  suite: (store: StoreUnderTest) => Suite,
): void {
  describe.concurrent.each(stores)(title, (under) => {
    const { prepare, finish, tests } = suite(under);
    let store: RunningStore | null = null;

    beforeAll(async () => {
      store = await under.start();
      if (!store) return;
      exercised(under.name);
      await prepare?.(store);
    }, 120_000);

    afterAll(async () => {
      await finish?.();
      await store?.close();
    }, 60_000);

    tests((sentence, body) => {
      test(sentence, { timeout: 240_000, concurrent: false }, async ({ skip }) => {
        if (!store && ALL_STORES_REQUIRED) throw new Error(`${under.name} is not on this machine`);
        if (!store) return skip();
        await body(store);
      });
    });
  });
}
