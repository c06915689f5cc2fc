import type { CallerProof } from '../../../src/core/attempts.ts';
import { AccountsError, type AccountsServerOptions, type ConnectionInput } from '../../../src/index.ts';
import { createAccounts, fastHashes, PASSWORD } from '../../accounts.ts';

export const WRONG = 'not the password';

/** Accounts in memory with ada in them, and somebody who guesses. */
export async function createGuessing(options: Partial<AccountsServerOptions> = {}) {
  const guesses = { verified: 0 };
  const accounts = createAccounts(options, {
    ...fastHashes,
    verifyPassword: async (typed, hash) => {
      guesses.verified++;
      return fastHashes.verifyPassword(typed, hash);
    },
  });
  const ada = await accounts.signUp({ username: 'ada', email: 'ada@example.com' });
  const attempt = (
    user: unknown,
    password: string,
    connection: ConnectionInput = { ip: '192.0.2.1' },
    proof?: CallerProof,
  ) => accounts.server.loginWithService('password', { user, password }, connection, proof);
  return {
    ...accounts,
    ada,
    guesses,
    attempt,
    /** What became of a wrong guess: its code, with the seconds to wait where there are some. */
    guess: (user: unknown = 'ada', connection?: ConnectionInput, proof?: CallerProof) =>
      told(attempt(user, WRONG, connection, proof)),
    /** What became of a right login. */
    enter: (user: unknown = 'ada', connection?: ConnectionInput, proof?: CallerProof) =>
      told(attempt(user, PASSWORD, connection, proof)),
  };
}

/** `in`, or the code of the refusal with the seconds to wait. */
export async function told(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'in';
  } catch (error) {
    if (!(error instanceof AccountsError)) return `not coded: ${error}`;
    const { code, retryAfter } = error.extensions;
    return retryAfter === undefined ? code : `${code} ${retryAfter}`;
  }
}

/** So many calls one after the other, and what each gave. */
export async function times<T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let index = 0; index < count; index++) results.push(await call(index));
  return results;
}

/** So many calls at once, and what each gave. */
export function atOnce<T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => call(index)));
}

/** How often each value is among them. */
export function tally(values: readonly string[]): { [value: string]: number } {
  const counts: { [value: string]: number } = {};
  for (const value of values) {
    const [code = ''] = value.split(' ');
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}
