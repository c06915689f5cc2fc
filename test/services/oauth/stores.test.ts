import { expect } from 'vitest';
import { openDatabase, openSessions } from '../../../src/cli/stores/open.ts';
import { parseDatabaseUrl, parseSessionsUrl } from '../../../src/cli/stores/urls.ts';
import type { AccountsDatabase } from '../../../src/index.ts';
import { codeOf } from '../../accounts.ts';
import { SQLITE, STORES, type StoreSettings } from '../../servers/stores.ts';
import { describeEachStore } from '../../stores/each-store.ts';
import { createAccounts, useOidc } from './accounts.ts';

const oidc = useOidc();

describeEachStore('OAuth on $name', [SQLITE, ...STORES], () => ({
  tests(on) {
    on('logs in, links and unlinks; of many first logins at once one makes the user', async (store) => {
      const { db, close } = await open(await store.newSettings());
      try {
        const accounts = createAccounts(oidc.current, { server: { db, now: Date.now } });
        const { begun, finish, service, ownerOf, logIn } = accounts;
        oidc.current.know('ada', { email: 'ada@example.com', email_verified: true });
        // The second server is another process, as far as the two know.
        const other = createAccounts(oidc.current, { server: { db, now: Date.now } });
        const flows = await Promise.all([1, 2, 3, 4].map(() => begun(oidc.current, 'ada')));
        const logins = await Promise.all(
          flows.map(({ params }, index) => (index % 2 === 0 ? finish(params) : other.finish(params))),
        );
        const [{ user, tokens }] = logins as [(typeof logins)[0]];
        expect(new Set(logins.map((login) => login.user.id)).size).toBe(1);
        const used = flows[0]?.params ?? {};
        expect(await codeOf(other.finish(used))).toBe('INVALID_TOKEN');

        const owner = await ownerOf(tokens.accessToken);
        const { params } = await begun(oidc.current, 'second', { session: owner.live });
        await service.link(params, owner);
        expect((await logIn(oidc.current, 'second')).user.id).toBe(user.id);
        await service.unlink({ provider: 'shop', subject: 'ada' }, owner);
        expect(await codeOf(service.unlink({ provider: 'shop', subject: 'second' }, owner))).toBe(
          'LAST_WAY_IN',
        );
        expect(await service.linkedAccounts(user)).toEqual([
          { provider: 'shop', subject: 'second', label: 'second' },
        ]);
      } finally {
        await close();
      }
    });
  },
}));

async function open({ DATABASE_URL, SESSIONS_URL }: StoreSettings) {
  const name = 'DATABASE_URL';
  const users = await openDatabase(parseDatabaseUrl(DATABASE_URL, name), { name, migrate: true });
  const sessions = SESSIONS_URL === undefined ? null : await openSessions(parseSessionsUrl(SESSIONS_URL));
  const db: AccountsDatabase = sessions ? { ...users.store, sessions: sessions.store } : users.store;
  return {
    db,
    async close() {
      await sessions?.close();
      await users.close();
    },
  };
}
