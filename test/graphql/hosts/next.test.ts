import { expect, test } from 'vitest';
import { nextContext } from '../../../src/graphql/hosts/next.ts';
import { createAccounts, SECRET } from '../../accounts.ts';

async function loggedIn() {
  const accounts = createAccounts();
  const id = await accounts.signUp({ email: 'ada@example.com' });
  const { tokens } = await accounts.logIn('ada@example.com');
  return { ...accounts, id, token: tokens.accessToken };
}

test('S50 a page knows its user by the cookie, also when a link of another site has led there', async () => {
  const { server, id, token } = await loggedIn();
  const context = await nextContext(server)(
    new Headers({ cookie: `theme=dark; __Host-accounts=${token}`, 'sec-fetch-site': 'cross-site' }),
  );
  expect(context).toMatchObject({ userId: id, authToken: token, authError: null });
});

test('the header wins over the cookie, also where its token is not good', async () => {
  const { server, token } = await loggedIn();
  const cookie = `__Host-accounts=${token}`;
  const context = await nextContext(server)(new Headers({ authorization: 'Bearer not.a.token', cookie }));
  expect(context).toMatchObject({ user: null, authError: { code: 'UNAUTHENTICATED' } });
});

test('a header of another scheme leaves the cookie alone', async () => {
  const { server, id, token } = await loggedIn();
  const headers = new Headers({ authorization: 'Basic c3RhZ2luZw==', cookie: `__Host-accounts=${token}` });
  expect((await nextContext(server)(headers)).userId).toBe(id);
});

test('S50 a cookie that came twice is none', async () => {
  const { server, token } = await loggedIn();
  const cookie = `__Host-accounts=${token}; __Host-accounts=${token}`;
  expect(await nextContext(server)(new Headers({ cookie }))).toMatchObject({ user: null, authToken: null });
});

test('the names of the cookie and of the header can be chosen', async () => {
  const { server, id, token } = await loggedIn();
  const accountsContext = nextContext(server, { cookieName: '__Host-session', headerName: 'X-Token' });
  expect((await accountsContext(new Headers({ cookie: `__Host-session=${token}` }))).userId).toBe(id);
  expect((await accountsContext(new Headers({ 'x-token': token }))).userId).toBe(id);
  expect((await accountsContext(new Headers({ cookie: `__Host-accounts=${token}` }))).user).toBeNull();
});

test('a token that was logged out, and a store that fails, make nobody a user and throw nothing', async () => {
  const { server, db, token } = await loggedIn();
  const headers = new Headers({ cookie: `__Host-accounts=${token}` });
  await server.logout(token);
  expect(await nextContext(server)(headers)).toMatchObject({
    user: null,
    authError: { code: 'UNAUTHENTICATED' },
  });
  const failing = createAccounts({
    db: { ...db, sessions: { ...db.sessions, findMany: fail, findWithUsers: fail } },
    tokenSecret: SECRET,
  });
  expect(await nextContext(failing.server)(headers)).toMatchObject({
    user: null,
    authError: { code: 'SERVICE_UNAVAILABLE' },
  });
});

test('an unknown option is refused, and so is the one that it does not need', () => {
  const { server } = createAccounts();
  expect(() => nextContext(server, { cookieNames: 'a' } as never)).toThrow(TypeError);
  expect(() => nextContext(undefined as never)).toThrow('nextContext needs the AccountsServer');
});

async function fail(): Promise<never> {
  throw new Error('the store is down');
}
