import { expect } from 'vitest';
import { ask, LOG_IN, PASSWORD, SIGN_UP } from '../cli/child.ts';
import { type RunningStore, SQLITE, STORES, type StoreSettings } from '../servers/stores.ts';
import { describeEachStore, type On } from './each-store.ts';
import { logIn, logout, newcomer, payloadOf, refresh, StoreProgram, type Tokens, whoIs } from './program.ts';

describeEachStore('two processes of the program on $name', [SQLITE, ...STORES], () => {
  const program = new StoreProgram();
  let settings: StoreSettings;
  let urls: string[];

  const prepare = async (store: RunningStore): Promise<void> => {
    settings = await store.newSettings();
    // Both at once, as two machines that are deployed to at the same time.
    await Promise.all([program.migrate(settings), program.migrate(settings)]);
    const served = await Promise.all([program.serve(settings), program.serve(settings)]);
    urls = served.map(({ url }) => url);
  };

  const tests = (onStore: On): void => {
    const on = (sentence: string, body: (one: string, two: string) => Promise<void>): void => {
      onStore(sentence, () => body(...(urls as [string, string])));
    };

    on('both migrate at once, and again without a change', async (one, two) => {
      await Promise.all([program.migrate(settings), program.migrate(settings)]);
      expect(await whoIs(two, (await newcomer(one, 'first@example.com')).accessToken)).toBe(
        'first@example.com',
      );
    });

    on('what one revokes the other refuses at the next request (S16)', async (one, two) => {
      await newcomer(one, 'revoked@example.com');
      for (let n = 0; n < 20; n++) {
        const { accessToken } = await logIn(one, 'revoked@example.com');
        expect(await whoIs(two, accessToken)).toBe('revoked@example.com');
        expect((await logout(one, accessToken)).errors).toBeUndefined();
        expect(await whoIs(two, accessToken)).toBeNull();
      }
    });

    on('1,000 refreshes of one token through both at once give one family (S56)', async (one, two) => {
      const tokens = await newcomer(one, 'family@example.com');
      const answers: (Tokens | string)[] = [];
      for (let round = 0; round < 10; round++)
        answers.push(
          ...(await Promise.all(
            Array.from({ length: 100 }, (_, n) => refresh(n % 2 === 0 ? one : two, tokens)),
          )),
        );
      expect(answers.filter((answer) => typeof answer === 'string')).toEqual([]);
      const successors = answers as Tokens[];
      const families = new Set(successors.map(({ refreshToken }) => familyOf(refreshToken)));
      expect(families.size).toBe(1);
      const next = (await refresh(two, successors.at(-1) as Tokens)) as Tokens;
      expect(await whoIs(one, next.accessToken)).toBe('family@example.com');
      // A replay of what was refreshed with long since is theft: the family ends, in both.
      expect(await refresh(one, tokens)).toBe('UNAUTHENTICATED');
      expect(await whoIs(two, next.accessToken)).toBeNull();
    });

    on('of sign-ups with one address through both at once one is stored (S16)', async (one, two) => {
      for (let n = 0; n < 5; n++) {
        const email = `both${n}@example.com`;
        const spellings = [email, email.toUpperCase(), ` ${email}`, `Both${n}@Example.com`];
        const passwords = spellings.map((_, place) => `${PASSWORD} ${place}`);
        await Promise.all(
          spellings.map((spelling, place) =>
            ask(place % 2 === 0 ? one : two, SIGN_UP, {
              user: { email: spelling, password: passwords[place] },
            }),
          ),
        );
        const logins = await Promise.all(
          passwords.map((password) => ask(one, LOG_IN, { user: { email }, password })),
        );
        expect(logins.filter(({ errors }) => !errors).length).toBe(1);
      }
    });
  };

  return { prepare, finish: () => program.close(), tests };
});

/** Which session a refresh token belongs to, and its number there. */
function familyOf(token: string): string {
  const { iat: _, exp: __, jti: ___, ...claims } = payloadOf(token);
  return JSON.stringify(claims);
}
