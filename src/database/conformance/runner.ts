import type { AccountsDatabase } from '../ports.ts';

/** What the suite uses of a test runner: vitest, Jest, Bun, and node:test with any `expect`, have it all. */
export interface TestRunner {
  describe: (name: string, body: () => void) => unknown;
  test: (name: string, body: () => Promise<void>) => unknown;
  expect: (actual: unknown) => Matchers;
}

export interface Matchers {
  toBe(expected: unknown): unknown;
  toEqual(expected: unknown): unknown;
}

/** `on(sentence, body)` is a test on an empty database of its own. */
export interface Bench {
  describe: TestRunner['describe'];
  expect: TestRunner['expect'];
  on(sentence: string, body: (db: AccountsDatabase) => Promise<void>): void;
}

/** The name of the error that a call ends with, null when it ends well. Names, because realms have own TypeErrors. */
export async function errorOf(call: () => Promise<unknown>): Promise<string | null> {
  try {
    await call();
    return null;
  } catch (error) {
    return error instanceof Object && 'name' in error ? String(error.name) : String(error);
  }
}
