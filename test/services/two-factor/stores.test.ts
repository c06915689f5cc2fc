// What has to be atomic is so on every store, in two processes' worth of servers on one database.
import { expect } from 'vitest';
import { createClock } from '../../accounts.ts';
import { type RunningStore, SQLITE, STORES } from '../../servers/stores.ts';
import { describeEachStore, type On } from '../../stores/each-store.ts';
import { openStores } from '../../stores/fixtures/operations.ts';
import { type Accounts, codeAt, codeIn, createTwoFactor, STEP, tally, wrongCode } from './accounts.ts';

describeEachStore('a second factor on $name', [SQLITE, ...STORES], () => {
  const opened: Awaited<ReturnType<typeof openStores>>[] = [];
  // Near the time of the store's own clock, by which some of them forget.
  const clock = createClock(Date.now());
  let servers: [Accounts, Accounts];

  const prepare = async ({ newSettings }: RunningStore): Promise<void> => {
    const settings = await newSettings();
    const open = async (): Promise<Accounts> => {
      const stores = await openStores(settings, clock.now);
      opened.push(stores);
      // What is refused here is refused by the factor itself.
      return createTwoFactor({ options: { db: stores.db, rateLimits: false } }, clock);
    };
    servers = [await open(), await open()];
  };

  const finish = async (): Promise<void> => {
    for (const { close } of opened) await close();
  };

  /** What comes of 16 at once, every other one at the other server. */
  const atOnce = async (work: (accounts: Accounts, n: number) => Promise<unknown>) =>
    tally(await Promise.all(Array.from({ length: 16 }, (_, n) => work(n % 2 ? servers[1] : servers[0], n))));

  const tests = (on: On): void => {
    on('S19, S32 one of 16 turns it on, and the sessions of before end in both', async () => {
      const [here, there] = servers;
      const id = await here.signUp('ada');
      const mine = (await here.logIn('ada')).accessToken ?? '';
      const other = (await there.logIn('ada')).accessToken ?? '';
      const secret = await there.newSecret(mine);
      const code = codeAt(secret, clock.now());
      const outcomes = await atOnce(async (accounts) => codeIn(await accounts.set(mine, code)));
      // The tries of a session are nine, in any case.
      const { null: done, INVALID_CODE = 0, TWO_FACTOR_ALREADY_SET = 0, RATE_LIMITED = 0 } = outcomes;
      expect([done, INVALID_CODE + TWO_FACTOR_ALREADY_SET + RATE_LIMITED]).toEqual([1, 15]);
      for (const { isLoggedIn } of servers)
        expect([await isLoggedIn(mine), await isLoggedIn(other)]).toEqual([true, false]);
      expect(await here.db.sessions.findByUser(id)).toHaveLength(1);
      expect((await there.logIn('ada')).code).toBe('TWO_FACTOR_REQUIRED');
      // That code is used up.
      expect((await there.logIn('ada', { code })).code).toBe('INVALID_CODE');
    });

    on('S33 a code lets one of 16 in', async () => {
      const { code } = await servers[0].enrolled('grace');
      for (let round = 0; round < 3; round++, clock.pass(STEP)) {
        const outcomes = await atOnce(async ({ logIn }) => (await logIn('grace', { code: code() })).code);
        expect(outcomes).toEqual({ null: 1, INVALID_CODE: 15 });
      }
    });

    on('S34 a challenge lets one of 16 in, and takes five tries in both together', async () => {
      const [here, there] = servers;
      const { code, secret } = await here.enrolled('edith');
      const redeem = async ({ authenticate }: Accounts, token: string, typed: string) =>
        (await authenticate('twoFactor', { token, code: typed })).code;
      const { challenge: good } = await here.logIn('edith');
      const {
        null: entered,
        INVALID_CODE = 0,
        INVALID_TOKEN = 0,
      } = await atOnce((accounts) => redeem(accounts, good, code()));
      expect([entered, INVALID_CODE + INVALID_TOKEN]).toEqual([1, 15]);
      clock.pass(STEP);
      expect(await redeem(there, good, code())).toBe('INVALID_TOKEN');

      const { challenge: guessed } = await there.logIn('edith');
      const wrong = wrongCode(secret, clock.now());
      expect(await atOnce((accounts) => redeem(accounts, guessed, wrong))).toEqual({
        INVALID_CODE: 5,
        INVALID_TOKEN: 11,
      });
      expect(await redeem(here, guessed, code())).toBe('INVALID_TOKEN');
    });

    on('S35 a recovery code lets one of 16 in; of those that both make, one set counts', async () => {
      const [here, there] = servers;
      const { token } = await here.enrolled('mary');
      const [recovery = ''] = await there.generate(token);
      const enter = async ({ logIn }: Accounts, code: string) => (await logIn('mary', { code })).code;
      expect(await atOnce((accounts) => enter(accounts, recovery))).toEqual({ null: 1, INVALID_CODE: 15 });

      const sets = await Promise.all([here.generate(token), there.generate(token)]);
      const firsts = [];
      for (const [first = ''] of sets) firsts.push(await enter(here, first));
      expect(tally(firsts)).toEqual({ null: 1, INVALID_CODE: 1 });
    });

    on('S19 one of 16 turns it off, and the other sessions end', async () => {
      const [here, there] = servers;
      const { token, code } = await here.enrolled('hedy');
      const other = (await there.logIn('hedy', { code: code() })).accessToken ?? '';
      clock.pass(STEP);
      const typed = code();
      const outcomes = await atOnce(async ({ unset }) => codeIn(await unset(token, typed)));
      const { null: done, INVALID_CODE = 0, TWO_FACTOR_NOT_SET = 0, RATE_LIMITED = 0 } = outcomes;
      expect([done, INVALID_CODE + TWO_FACTOR_NOT_SET + RATE_LIMITED]).toEqual([1, 15]);
      for (const { isLoggedIn } of servers)
        expect([await isLoggedIn(token), await isLoggedIn(other)]).toEqual([true, false]);
      expect((await there.logIn('hedy')).code).toBe(null);
      expect([...here.errors, ...there.errors]).toEqual([]);
    });
  };

  return { prepare, finish, tests };
});
