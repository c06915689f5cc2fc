import { createInMemoryCache, useResponseCache } from '@graphql-yoga/plugin-response-cache';
import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { AccountsPlugin } from '../../../src/index.ts';
import { countQueries } from '../../accounts.ts';
import { type Answer, codeIn } from '../gateway.ts';
import { CANARY, createCompanions } from './gateway.ts';

/** What docs/companions.md says. */
function bySession({ sessionId }: AccountsPlugin) {
  return useResponseCache({
    session: sessionId,
    ttl: 60_000,
    ttlPerSchemaCoordinate: { 'Query.getUser': 0, 'Query.fresh': 0 },
    includeExtensionMetadata: true,
  });
}

const hits = (answer: object): unknown =>
  (answer as { extensions?: { responseCache?: { hit?: boolean } } }).extensions?.responseCache?.hit;

const start = (given: object = {}) =>
  createCompanions({ plugins: (_, ours) => [bySession(ours), ours], ...given });

const QUERY = '{ whoAmI mySession }';

describe('S51 the response cache, kept by session', () => {
  test('answers nobody with what it holds of somebody else', async () => {
    const { ask, login } = await start();
    const ada = await login('ada@example.com');
    const grace = await login('grace@example.com');
    const asked = [ada.accessToken, grace.accessToken, null, ada.accessToken, grace.accessToken, null];
    const answers = [];
    for (const token of asked) answers.push(await ask(QUERY, token));
    expect(answers.map(({ data }) => data?.whoAmI)).toEqual([ada.id, grace.id, null, ada.id, grace.id, null]);
    expect(answers.map(hits)).toEqual([false, false, false, true, true, true]);
  });

  test('gives no session of a user what it holds of another session of the same user', async () => {
    const { ask, login } = await start();
    const [phone, laptop] = [await login('ada@example.com'), await login('ada@example.com')];
    expect((await ask(QUERY, phone.accessToken)).data?.mySession).toBe(phone.sessionId);
    expect((await ask(QUERY, laptop.accessToken)).data?.mySession).toBe(laptop.sessionId);
  });

  test('refuses strangers what it holds of a user, and keeps no refusal for users', async () => {
    const { ask, login } = await start();
    const { accessToken } = await login('ada@example.com');
    expect(codeIn(await ask('{ secret }'))).toBe('UNAUTHENTICATED');
    expect((await ask('{ secret }', accessToken)).data?.secret).toContain(CANARY);
    const again = await ask('{ secret }');
    expect(codeIn(again)).toBe('UNAUTHENTICATED');
    expect(JSON.stringify(again)).not.toContain(CANARY);
    expect(hits(await ask('{ secret }', accessToken))).toBe(true);
  });

  test.each(['not a token', 'eyJhbGciOiJub25lIn0.eyJzaWQiOiJ4In0.'])(
    'takes whoever sends %s for nobody',
    async (token) => {
      const { ask, login } = await start();
      await ask('{ secret }', (await login('ada@example.com')).accessToken);
      expect(codeIn(await ask('{ secret }', token))).toBe('UNAUTHENTICATED');
    },
  );

  test('has nothing for a session that has ended, nor for an expired token', async () => {
    const { ask, login, server, clock } = await start();
    const ended = await login('ada@example.com');
    const expired = await login('ada@example.com');
    for (const { accessToken } of [ended, expired]) await ask('{ secret }', accessToken);
    await server.logout(ended.accessToken);
    expect(codeIn(await ask('{ secret }', ended.accessToken))).toBe('UNAUTHENTICATED');
    clock.pass(16 * 60_000);
    expect(codeIn(await ask('{ secret }', expired.accessToken))).toBe('UNAUTHENTICATED');
    const { tokens } = await server.refreshTokens(expired.accessToken, expired.refreshToken);
    expect(hits(await ask('{ secret }', tokens.accessToken))).toBe(true);
    await server.deactivateUser(expired.id);
    expect(codeIn(await ask('{ secret }', tokens.accessToken))).toBe('UNAUTHENTICATED');
  });

  test('costs one look-up, whether it holds the answer or not', async () => {
    const { counted, queries } = countQueries(memoryDatabase());
    const { ask, login } = await start({ options: { db: counted } });
    const { accessToken } = await login('ada@example.com');
    for (const hit of [false, true]) {
      queries.length = 0;
      expect(hits(await ask('{ secret }', accessToken))).toBe(hit);
      expect(queries).toEqual(['sessions.findMany', 'users.findMany']);
    }
  });

  test('keeps nothing of a user for strangers when one look-up fails and the next does not', async () => {
    const db = memoryDatabase();
    let broken = false;
    const { findMany } = db.sessions;
    const { findWithUsers: _, ...sessions } = db.sessions;
    const flapping = {
      ...db,
      sessions: {
        ...sessions,
        findMany: async (ids: readonly string[]) => {
          const fails = broken;
          broken = false;
          if (fails) throw new Error('the store is away');
          return findMany.call(db.sessions, ids);
        },
      },
    };
    const { ask, login } = await start({ options: { db: flapping } });
    const { accessToken, id } = await login('ada@example.com');
    broken = true;
    expect((await ask('{ whoAmI }', accessToken)).data).toEqual({ whoAmI: null });
    broken = true;
    expect(codeIn(await ask('{ secret }', accessToken))).toBe('SERVICE_UNAVAILABLE');
    expect((await ask('{ whoAmI }')).data).toEqual({ whoAmI: null });
    expect((await ask('{ whoAmI }', accessToken)).data).toEqual({ whoAmI: id });
    expect(codeIn(await ask('{ secret }'))).toBe('UNAUTHENTICATED');
  });

  test('S50 keeps apart who is known by a cookie, and is not fooled by one that does not count', async () => {
    const { post, login } = await start({ plugin: { cookie: true } });
    const { accessToken, id } = await login('ada@example.com');
    const cookie = `__Host-accounts=${accessToken}`;
    const ask = async (headers: Record<string, string>) =>
      ((await (await post({ query: '{ whoAmI }' }, null, headers)).json()) as Answer).data?.whoAmI;
    for (let round = 0; round < 2; round++) {
      expect(await ask({ cookie, 'x-accounts-csrf': '1' })).toBe(id);
      expect(await ask({ 'x-accounts-csrf': '1' })).toBe(null);
      expect(await ask({ cookie })).toBe(null);
      expect(await ask({ cookie, 'x-accounts-csrf': '1', origin: 'https://evil.example' })).toBe(null);
    }
  });

  test('asks for a fresh proof each time where a field does', async () => {
    const { ask, login, clock } = await start();
    const { accessToken } = await login('ada@example.com');
    expect((await ask('{ fresh }', accessToken)).data?.fresh).toBe(CANARY);
    clock.pass(61_000);
    expect(codeIn(await ask('{ fresh }', accessToken))).toBe('RECENT_LOGIN_REQUIRED');
  });

  test('shows a user its own change at once', async () => {
    const { ask, login } = await start();
    const { accessToken } = await login('ada@example.com');
    expect((await ask('{ getUser { username } }', accessToken)).data?.getUser).toEqual({ username: null });
    await ask('mutation { setUsername(newUsername: "ada") }', accessToken);
    expect((await ask('{ getUser { username } }', accessToken)).data?.getUser).toEqual({ username: 'ada' });
  });

  test('keeps no tokens: each login makes its own, and they stay out of other caches', async () => {
    const cache = createInMemoryCache();
    const kept: unknown[] = [];
    const watched: typeof cache = {
      ...cache,
      set: (id, result, entities, ttl) => {
        kept.push(result);
        return cache.set(id, result, entities, ttl);
      },
    };
    const { post, server } = await createCompanions({
      plugins: (_, ours) => [useResponseCache({ session: ours.sessionId, cache: watched }), ours],
    });
    const query =
      'mutation { authenticate(serviceName: "password", params: { user: { email: "ada@example.com" }, password: "correct horse battery staple" }) { sessionId tokens { accessToken refreshToken } } }';
    const answers = [await post({ query }), await post({ query })];
    const sessions = new Set<string>();
    for (const answer of answers) {
      expect(answer.headers.get('cache-control')).toBe('no-store');
      const { data } = (await answer.json()) as { data: { authenticate: { sessionId: string } } };
      sessions.add(data.authenticate.sessionId);
    }
    expect(sessions.size).toBe(2);
    expect(kept).toEqual([]);
    await server.settled();
  });

  test('tells by no 304 what it holds of a user', async () => {
    const { post, login } = await start();
    const { accessToken } = await login('ada@example.com');
    const tag = (await post({ query: '{ secret }' }, accessToken)).headers.get('etag') ?? '';
    expect(tag).not.toBe('');
    const stranger = await post({ query: '{ secret }' }, null, { 'if-none-match': tag });
    expect(await stranger.text()).not.toContain(CANARY);
  });
});

describe('traps of the response cache', () => {
  test('kept by the token as it came, it goes on answering whoever was logged out', async () => {
    const { ask, login, server } = await createCompanions({
      plugins: (_server, ours) => [
        useResponseCache({ session: (request) => request.headers.get('authorization') }),
        ours,
      ],
    });
    const { accessToken } = await login('ada@example.com');
    await ask('{ secret }', accessToken);
    await server.logout(accessToken);
    expect((await ask('{ secret }', accessToken)).data?.secret).toContain(CANARY);
  });
});
