// What has to be atomic is so on every store, in two processes' worth of servers on one database.
import { expect } from 'vitest';
import { SQLITE, STORES } from '../../servers/stores.ts';
import { describeEachStore } from '../../stores/each-store.ts';
import { openStores } from '../../stores/fixtures/operations.ts';
import { createAccounts } from './accounts.ts';
import { Authenticator } from './authenticator.ts';

describeEachStore('passkeys on $name', [SQLITE, ...STORES], () => ({
  tests(on) {
    on(
      'one credential is of one user, one challenge and one counter are good once',
      async ({ newSettings }) => {
        const settings = await newSettings();
        const [one, other] = [await openStores(settings), await openStores(settings)];
        try {
          const now = { now: Date.now };
          const here = createAccounts(now, {}, one.db);
          const there = createAccounts(now, {}, other.db);
          const ada = await here.member('ada@example.com');
          const grace = await here.member('grace@example.com');

          const credential = 'A'.repeat(1_364);
          const authenticators = [
            new Authenticator(undefined, credential),
            new Authenticator(undefined, credential),
          ];
          const [mine = new Authenticator(), theirs = new Authenticator()] = authenticators;
          const responses = [
            mine.create(await here.registrationOptions(ada.token)),
            theirs.create(await here.registrationOptions(grace.token)),
          ];
          const registered = await Promise.all([
            here.register(ada.token, responses[0]),
            there.register(grace.token, responses[1]),
          ]);
          expect(registered.map(({ code }) => code).sort()).toEqual(['INVALID_PASSKEY', undefined]);
          const owner = registered[0]?.code === undefined ? mine : theirs;

          const { options, challenge } = await here.loginOptions();
          const response = owner.get(options);
          const entered = await Promise.all(
            Array.from({ length: 8 }, (_, index) => (index % 2 ? here : there).enter(challenge, response)),
          );
          expect(entered.filter(({ code }) => code === undefined)).toHaveLength(1);

          const counted = await Promise.all(
            Array.from({ length: 8 }, (_, index) =>
              (index % 2 ? here : there).enterWith(owner, { counter: 9 }),
            ),
          );
          expect(counted.filter(({ code }) => code === undefined)).toHaveLength(1);
          expect(counted.filter(({ code }) => code === 'INVALID_CREDENTIALS')).toHaveLength(7);
          expect([...here.errors, ...there.errors]).toEqual([]);
        } finally {
          await one.close();
          await other.close();
        }
      },
    );
  },
}));
