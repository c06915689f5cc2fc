// Nobody gets round a second factor: every way in on every path. A new way is a line in WAYS, and its service one in SERVICES.
import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { AccountsDatabase } from '../../../src/database/ports.ts';
import { sqliteDatabase } from '../../../src/database/sqlite/index.ts';
import { AccountsError, type AccountsService, type ServiceFactory } from '../../../src/index.ts';
import { PASSWORD } from '../../accounts.ts';
import { newPath } from '../../database/fixtures/paths.ts';
import { type Accounts, codeAt, codeIn, createTwoFactor, STEP } from './accounts.ts';

/** What an application registers itself, and which does nothing about second factors. */
const badge: ServiceFactory<AccountsService> = {
  create: ({ users }) => ({
    async authenticate({ token }) {
      const user = await users.find(String(token));
      if (!user) throw new AccountsError('INVALID_CREDENTIALS');
      return { user };
    },
  }),
};

/** The same, which says that it has seen a second factor to somebody whom nobody asked. */
const liar: ServiceFactory<AccountsService> = {
  create: ({ users }) => ({
    async authenticate({ token }) {
      const user = await users.find(String(token));
      if (!user) throw new AccountsError('INVALID_CREDENTIALS');
      // Whatever is not `true` is no.
      return { user, amr: ['mfa'], secondFactor: 'yes' as never };
    },
  }),
};

const SERVICES = { badge, liar };

interface Person {
  id: string;
  name: string;
}

interface Outcome {
  code: unknown;
  challenge?: unknown;
}

/** Each proves the first factor, and hopes for a session. */
const WAYS: { way: string; enter: (accounts: Accounts, person: Person) => Promise<Outcome> }[] = [
  { way: 'password', enter: ({ logIn }, { name }) => logIn(name) },
  { way: 'password, with a code that is null', enter: ({ logIn }, { name }) => logIn(name, { code: null }) },
  {
    way: 'password, by e-mail',
    enter: ({ authenticate }, { name }) =>
      authenticate('password', { user: { email: `${name}@example.com` }, password: PASSWORD }),
  },
  {
    way: 'a reset that gives tokens',
    async enter({ server, linkTo, ask }, { name }) {
      await server.services.password.sendResetPasswordEmail(`${name}@example.com`);
      const token = await linkTo(name, 'reset-password');
      const { errors } = await ask(
        'mutation ($token: String!, $typed: String!) { resetPassword(token: $token, newPassword: $typed) { sessionId } }',
        { variables: { token, typed: `${PASSWORD} again` } },
      );
      return { code: null, ...errors?.[0]?.extensions };
    },
  },
  { way: 'loginWithUser', enter: ({ server }, { id }) => outcomeOf(server.loginWithUser({ id })) },
  {
    way: 'loginWithUser, told something that is not true',
    enter: ({ server }, { id }) =>
      outcomeOf(server.loginWithUser({ id }, null, { skipSecondFactor: 1 as never })),
  },
  {
    way: 'the JavaScript API',
    enter: ({ server }, { name }) =>
      outcomeOf(server.loginWithService('password', { user: name, password: PASSWORD })),
  },
  {
    way: 'a service of the application',
    enter: ({ authenticate }, { id }) => authenticate('badge', { token: id }),
  },
  {
    way: 'a service that says it has',
    enter: ({ authenticate }, { id }) => authenticate('liar', { token: id }),
  },
];

async function outcomeOf(login: Promise<unknown>): Promise<Outcome> {
  return login.then(
    () => ({ code: null }),
    (error: AccountsError) => ({ ...error.extensions }),
  );
}

const SETTINGS: { setting: string; stateless: boolean; open: () => AccountsDatabase }[] = [
  { setting: 'stateful, in memory', stateless: false, open: memoryDatabase },
  { setting: 'stateless, in memory', stateless: true, open: memoryDatabase },
  { setting: 'stateful, on SQLite', stateless: false, open: () => sqliteDatabase(newPath()) },
  { setting: 'stateless, on SQLite', stateless: true, open: () => sqliteDatabase(newPath()) },
];

describe.each(SETTINGS)('$setting', ({ stateless, open }) => {
  async function begin() {
    const accounts = createTwoFactor({
      options: { db: open(), useStatelessSession: stateless },
      passwordOptions: { returnTokensAfterResetPassword: true },
      services: SERVICES,
    });
    const person = { ...(await accounts.enrolled('ada')), name: 'ada' };
    // Otherwise a reset is the first proof of the address, and takes the account over (S39).
    await accounts.server.services.password.addEmail(person.id, 'ada@example.com', true);
    return { accounts, person };
  }
  const sessionsOf = async ({ db }: Accounts, person: Person) =>
    (await db.sessions.findByUser(person.id)).map(({ id }) => id);

  test.each(WAYS)('S31 $way gives a challenge, and no session', async ({ enter }) => {
    const { accounts, person } = await begin();
    const before = await sessionsOf(accounts, person);
    const { code, challenge } = await enter(accounts, person);
    expect(code).toBe('TWO_FACTOR_REQUIRED');
    expect(challenge).toMatch(/^[\w-]{43}$/);
    expect(before).toEqual(expect.arrayContaining(await sessionsOf(accounts, person)));
  });

  test.each(WAYS)('$way, then the code, logs in', async ({ enter }) => {
    const { accounts, person } = await begin();
    const { challenge } = await enter(accounts, person);
    const params = { token: challenge, code: person.code() };
    const { accessToken } = await accounts.authenticate('twoFactor', params);
    expect(await accounts.isLoggedIn(accessToken)).toBe(true);
    const { session } = await accounts.server.resumeLiveSession(accessToken);
    expect(session.userId).toBe(person.id);
    expect(session.amr).toEqual(expect.arrayContaining(['otp', 'mfa']));
  });

  test('one step, as clients of accounts-js do', async () => {
    const { accounts, person } = await begin();
    const { accessToken } = await accounts.logIn('ada', { code: person.code() });
    const { session } = await accounts.server.resumeLiveSession(accessToken);
    expect(session.amr).toEqual(['pwd', 'otp', 'mfa']);
  });

  test('a wrong password with a right code is a wrong password, and does not use the code up', async () => {
    const { accounts, person } = await begin();
    const code = person.code();
    expect((await accounts.logIn('ada', { password: 'not it, surely', code })).code).toBe(
      'INVALID_CREDENTIALS',
    );
    expect((await accounts.logIn('ada', { code })).code).toBe(null);
  });

  test('loginWithUser leaves the second factor to the application when it says so', async () => {
    const { accounts, person } = await begin();
    const { tokens } = await accounts.server.loginWithUser(person, null, { skipSecondFactor: true });
    expect(await accounts.isLoggedIn(tokens.accessToken)).toBe(true);
    const { session } = await accounts.server.resumeLiveSession(tokens.accessToken);
    expect(session.amr).not.toContain('mfa');
  });

  test('S19 a session that began before goes on, and is refreshed; the others are not', async () => {
    const accounts = createTwoFactor({ options: { db: open(), useStatelessSession: stateless } });
    await accounts.signUp('ada');
    const [mine, other] = [await accounts.logIn('ada'), await accounts.logIn('ada')];
    const secret = await accounts.newSecret(mine.accessToken ?? '');
    expect(codeIn(await accounts.set(mine.accessToken ?? '', codeAt(secret, accounts.clock.now())))).toBe(
      null,
    );
    const refresh = ({ accessToken, refreshToken }: typeof mine) =>
      accounts.ask(
        'mutation ($a: String!, $r: String!) { refreshTokens(accessToken: $a, refreshToken: $r) { tokens { accessToken } } }',
        { variables: { a: accessToken, r: refreshToken } },
      );
    expect(codeIn(await refresh(mine))).toBe(null);
    expect(codeIn(await refresh(other))).toBe('UNAUTHENTICATED');
  });

  test('autologin logs in whoever is new, and nobody who has a second factor', async () => {
    const accounts = createTwoFactor({
      options: {
        db: open(),
        useStatelessSession: stateless,
        enableAutologin: true,
        ambiguousErrorMessages: false,
      },
    });
    await accounts.enrolled('ada');
    const signUp = (email: string) =>
      accounts.ask(
        'mutation ($user: CreateUserInput!) { createUser(user: $user) { loginResult { sessionId } } }',
        { variables: { user: { email, password: PASSWORD } } },
      );
    expect((await signUp('grace@example.com')).data).toMatchObject({
      createUser: { loginResult: { sessionId: expect.any(String) } },
    });
    expect(codeIn(await signUp('ada@example.com'))).toBe('EMAIL_TAKEN');
  });

  test('a step-up asks for it too', async () => {
    const { accounts, person } = await begin();
    const proof = { user: { username: 'ada' }, password: PASSWORD };
    const { accessToken } = await accounts.logIn('ada', { code: person.code() });
    const token = accessToken ?? '';
    const authenticatedAt = async () =>
      (await accounts.server.resumeLiveSession(token)).session.authenticatedAt;
    const before = await authenticatedAt();
    accounts.clock.pass(STEP);
    const first = await accounts.verify('password', proof, token);
    expect(codeIn(first)).toBe('TWO_FACTOR_REQUIRED');
    expect(await authenticatedAt()).toBe(before);
    const challenge = first.errors?.[0]?.extensions?.challenge;
    const second = await accounts.verify('twoFactor', { token: challenge, code: person.code() }, token);
    expect(second.data).toEqual({ verifyAuthentication: true });
    expect(await authenticatedAt()).toBe(accounts.clock.now());
    accounts.clock.pass(STEP);
    expect((await accounts.verify('password', { ...proof, code: person.code() }, token)).data).toEqual({
      verifyAuthentication: true,
    });
    expect(await authenticatedAt()).toBe(accounts.clock.now());
  });
});
