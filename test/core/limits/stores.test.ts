import { describe, expect, test } from 'vitest';
import { Guesses } from '../../../src/core/limits/guesses.ts';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { AccountsDatabase, CounterStore } from '../../../src/index.ts';
import { codeOf, PASSWORD } from '../../accounts.ts';
import { createGuessing, times } from './guessing.ts';

type Method = keyof CounterStore;

/** A database whose counters tell what they are asked, and can be made to do something else. */
function watched() {
  const db = memoryDatabase();
  const asked: string[] = [];
  let instead: ((method: Method) => Promise<never> | null) | null = null;
  const counters = Object.fromEntries(
    Object.entries(db.counters ?? {}).map(([method, call]) => [
      method,
      (...given: never[]) => {
        asked.push(method);
        return instead?.(method as Method) ?? (call as (...args: never[]) => unknown)(...given);
      },
    ]),
  ) as unknown as CounterStore;
  const watching: AccountsDatabase = { ...db, counters };
  return {
    db: watching,
    asked,
    failing: (how: typeof instead) => {
      instead = how;
    },
  };
}

const lost = async (): Promise<never> => {
  throw new Error('connection lost: password=hunter2');
};

describe('the store of the counters', () => {
  test('is asked four times by a login, twice by a wrong one', async () => {
    const { db, asked } = watched();
    const { enter, guess, attempt } = await createGuessing({ db });
    const during = async (work: () => Promise<unknown>): Promise<string[]> => {
      asked.length = 0;
      await work();
      return [...asked].sort();
    };
    expect(await during(() => enter())).toEqual(['add', 'add', 'add', 'remove']);
    expect(await during(() => guess())).toEqual(['add', 'add']);
    expect(await during(() => guess('nobody'))).toEqual(['add', 'add']);
    // The application itself has no address.
    expect(await during(() => enter('ada', {}))).toEqual(['add', 'remove']);
    const { tokens } = await attempt('ada', PASSWORD);
    const proof = { accessToken: tokens.accessToken };
    expect(await during(() => enter('ada', undefined, proof))).toEqual([
      ...Array(3).fill('add'),
      ...Array(4).fill('remove'),
    ]);
  });

  test('S8 is asked the same of a known and of an unknown account, limited or not, with a device or without', async () => {
    for (const withDevice of [false, true]) {
      const { db, asked } = watched();
      const { guess, attempt, signUp } = await createGuessing({ db });
      await signUp({ username: 'eve' });
      const { tokens } = await attempt('eve', PASSWORD);
      const proof = withDevice ? { accessToken: tokens.accessToken } : undefined;
      const asks = async (user: string) => {
        asked.length = 0;
        await guess(user, undefined, proof);
        return [...asked];
      };
      for (let n = 0; n < 12; n++) expect(await asks('ada')).toEqual(await asks('nobody'));
    }
  });

  test('S55 that fails lets nobody in and nobody guess: SERVICE_UNAVAILABLE, and it recovers', async () => {
    const { db, failing } = watched();
    const { enter, guess, guesses, errors, service } = await createGuessing({ db });
    failing(lost);
    expect(await times(20, () => guess())).toEqual(Array(20).fill('SERVICE_UNAVAILABLE'));
    expect(await enter()).toBe('SERVICE_UNAVAILABLE');
    expect(await enter('ada', {})).toBe('SERVICE_UNAVAILABLE');
    expect(guesses.verified).toBe(0);
    expect(errors.length).toBeGreaterThan(0);
    const caller = { connection: { ip: '192.0.2.1', userAgent: null }, accessToken: null } as never;
    const { createUser, sendResetPasswordEmail } = service.operations.Mutation ?? {};
    const user = { username: 'eve', password: PASSWORD };
    expect(await codeOf(async () => createUser?.({ user } as never, caller))).toBe('SERVICE_UNAVAILABLE');
    const email = 'ada@example.com';
    expect(await codeOf(async () => sendResetPasswordEmail?.({ email } as never, caller))).toBe(
      'SERVICE_UNAVAILABLE',
    );
    failing(null);
    expect(await enter()).toBe('in');
  });

  test('S55 that fails before any of its steps lets no guess be verified; after it, the outcome stands', async () => {
    for (const [failsAt, expected] of [
      [1, 'SERVICE_UNAVAILABLE'],
      [2, 'SERVICE_UNAVAILABLE'],
      [3, 'in'],
      [4, 'in'],
    ] as const) {
      const { db, failing, asked } = watched();
      const { enter, guesses } = await createGuessing({ db });
      asked.length = 0;
      failing(() => (asked.length === failsAt ? lost() : null));
      expect([failsAt, await enter()]).toEqual([failsAt, expected]);
      expect(guesses.verified).toBe(expected === 'in' ? 1 : 0);
    }
  });

  test('S55 that hangs is waited for once', async () => {
    const { db, failing, asked } = watched();
    const { enter } = await createGuessing({ db, storeTimeout: 20 });
    asked.length = 0;
    failing((method) => (asked.length >= 2 && method ? new Promise<never>(() => undefined) : null));
    expect(await enter()).toBe('SERVICE_UNAVAILABLE');
    // The address is given its point back when it can be.
    expect(asked).toEqual(['add', 'add', 'add']);
  });

  test('S55 that fails leaves no place in a line taken', async () => {
    const { db, failing } = watched();
    const { enter } = await createGuessing({ db });
    for (const failsAt of [1, 2]) {
      let count = 0;
      failing(() => (++count % 2 === failsAt % 2 ? lost() : null));
      await times(60, () => enter());
    }
    failing(null);
    expect(await times(5, () => enter())).toEqual(Array(5).fill('in'));
  });

  test('is asked nothing when rates are not limited', async () => {
    const { db, asked } = watched();
    const { enter, guess } = await createGuessing({ db, rateLimits: false });
    await enter();
    await guess();
    expect(asked).toEqual([]);
    await new Guesses(null, { address: '192.0.2.1' }).spend({ userId: 'ada' });
  });
});
