import { expect } from 'vitest';
import { type Answer, ask, LOG_IN, PASSWORD } from '../cli/child.ts';
import { SQLITE, STORES } from '../servers/stores.ts';
import { describeEachStore } from '../stores/each-store.ts';
import { newcomer, StoreProgram } from '../stores/program.ts';

const WRONG = 'not the password';

const codeOf = ({ errors }: Pick<Answer, 'errors'>): string => errors?.[0]?.extensions.code ?? 'in';
const count = (codes: readonly string[], code: string): number =>
  codes.filter((found) => found === code).length;

describeEachStore('S10 two processes on $name', [SQLITE, ...STORES], () => {
  const program = new StoreProgram();
  let urls: string[] = [];

  return {
    prepare: async (store) => {
      const settings = await store.newSettings();
      await program.migrate(settings);
      const limited = { TRUSTED_PROXIES: '127.0.0.1', RATE_LIMITS: 'on' };
      const served = await Promise.all([program.serve(settings, limited), program.serve(settings, limited)]);
      urls = served.map(({ url }) => url);
    },
    finish: () => program.close(),
    tests: (on) => {
      const logIn = async (n: number, email: string, password: string, ip: string): Promise<string> => {
        const variables = { user: { email }, password };
        return codeOf(await ask(urls[n % 2] ?? '', LOG_IN, variables, { 'x-forwarded-for': ip }));
      };
      const atOnce = (calls: number, call: (n: number) => Promise<string>): Promise<string[]> =>
        Promise.all(Array.from({ length: calls }, (_, n) => call(n)));

      on(
        'share the budget of an account: of 60 wrong guesses at once no more than nine are verified',
        async () => {
          await newcomer(urls[0] ?? '', 'ada@example.com');
          const codes = await atOnce(60, (n) => logIn(n, 'ada@example.com', WRONG, '192.0.2.1'));
          // On a machine that is busy with others some are not answered in time.
          expect(count(codes, 'INVALID_CREDENTIALS')).toBeLessThanOrEqual(9);
          expect(count(codes, 'RATE_LIMITED')).toBeGreaterThan(0);
          expect(count(codes, 'in')).toBe(0);
          for (const n of [0, 1])
            expect(await logIn(n, 'ada@example.com', PASSWORD, '192.0.2.2')).toBe('RATE_LIMITED');
        },
      );

      on('forget in both what was wrong when one lets its owner in', async () => {
        await newcomer(urls[0] ?? '', 'grace@example.com');
        for (let round = 0; round < 2; round++) {
          for (let n = 0; n < 8; n++)
            expect(await logIn(n, 'grace@example.com', WRONG, '192.0.2.3')).toBe('INVALID_CREDENTIALS');
          expect(await logIn(round, 'grace@example.com', PASSWORD, '192.0.2.3')).toBe('in');
        }
      });

      on('share the budget of an address: of 120 wrong guesses no more than 100 are verified', async () => {
        const codes: string[] = [];
        // In waves that a busy machine gets through in time.
        for (let wave = 0; wave < 6; wave++) {
          const guess = (n: number) => logIn(n, `nobody${wave}-${n}@example.com`, WRONG, '192.0.2.4');
          codes.push(...(await atOnce(20, guess)));
        }
        expect(count(codes, 'INVALID_CREDENTIALS')).toBeLessThanOrEqual(100);
        expect(count(codes, 'INVALID_CREDENTIALS')).toBeGreaterThan(50);
        for (const n of [0, 1])
          expect(await logIn(n, 'somebody@example.com', WRONG, '192.0.2.4')).toBe('RATE_LIMITED');
      });

      on('let 40 right logins of one user in that come to both at once', async () => {
        await newcomer(urls[1] ?? '', 'mary@example.com');
        const codes = await atOnce(40, (n) => logIn(n, 'mary@example.com', PASSWORD, '192.0.2.5'));
        expect(count(codes, 'in')).toBe(40);
      });
    },
  };
});
