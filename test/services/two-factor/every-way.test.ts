// Nobody gets round a second factor: every way in on every path. A new way is an entry in WAYS.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { AccountsDatabase } from '../../../src/database/ports.ts';
import { sqliteDatabase } from '../../../src/database/sqlite/index.ts';
import { AccountsError, type AccountsService, magicLink, type ServiceFactory } from '../../../src/index.ts';
import { PASSWORD } from '../../accounts.ts';
import { newPath } from '../../database/fixtures/paths.ts';
import type { OidcServer } from '../../servers/oidc.ts';
import { codeAt, codeIn, createTwoFactor, STEP, wrongCode } from './accounts.ts';
import {
  badge,
  createEveryWay,
  type EveryWay,
  enrolledPerson,
  OTHER_DOORS,
  type Outcome,
  outcomeOf,
  type Person,
  startProvider,
  WAYS,
  type Way,
  type Whoever,
} from './ways.ts';

/** As `badge`, which says that it has seen a second factor to somebody whom nobody asked. */
const liar: ServiceFactory<AccountsService> = {
  create: ({ users }) => ({
    async authenticate({ token }) {
      const user = await users.find(String(token));
      if (!user) throw new AccountsError('INVALID_CREDENTIALS');
      // Whatever is not `true` is no.
      return { user, amr: ['badge'], secondFactor: 'yes' as never };
    },
  }),
};

const SERVICES = { badge, liar };

const ALL_WAYS: readonly Way[] = [
  ...WAYS,
  {
    way: 'service of the application',
    amr: [],
    prove: async (_accounts, { id }) => ({ service: 'badge', params: { token: id } }),
  },
  {
    way: 'service of the application that says it has seen the factor',
    amr: ['badge'],
    prove: async (_accounts, { id }) => ({ service: 'liar', params: { token: id } }),
  },
];

/** Every way, and by JavaScript too. */
const DOORS: { way: string; enter: (accounts: EveryWay, person: Person) => Promise<Outcome> }[] = [
  ...OTHER_DOORS,
  ...ALL_WAYS.flatMap(({ way, prove }) => [
    { way, enter: async (accounts: EveryWay, person: Person) => enterBy(accounts, { prove }, person) },
    {
      way: `${way}, from JavaScript`,
      async enter(accounts: EveryWay, person: Person) {
        const { service, params } = await prove(accounts, person);
        return outcomeOf(accounts.server.loginWithService(service, params));
      },
    },
  ]),
];

async function enterBy(accounts: EveryWay, { prove }: Pick<Way, 'prove'>, person: Whoever, more = {}) {
  const { service, params } = await prove(accounts, person);
  return accounts.authenticate(service, { ...params, ...more });
}

let provider: OidcServer;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider?.close());

const SETTINGS: { setting: string; stateless: boolean; open: () => AccountsDatabase }[] = [
  { setting: 'stateful, in memory', stateless: false, open: memoryDatabase },
  { setting: 'stateless, in memory', stateless: true, open: memoryDatabase },
  { setting: 'stateful, on SQLite', stateless: false, open: () => sqliteDatabase(newPath()) },
  { setting: 'stateless, on SQLite', stateless: true, open: () => sqliteDatabase(newPath()) },
];

describe.each(SETTINGS)('$setting', ({ stateless, open }) => {
  const create = () =>
    createEveryWay(provider, {
      options: { db: open(), useStatelessSession: stateless },
      services: SERVICES,
    });
  async function begin() {
    const accounts = create();
    const person = await enrolledPerson(accounts, 'ada');
    /** Whether nobody has a session who had none before. */
    const before = await sessionsOf(accounts, person);
    const hasNoNewSession = async () =>
      (await sessionsOf(accounts, person)).every((session) => before.includes(session));
    return { accounts, person, hasNoNewSession };
  }
  const sessionsOf = async ({ db }: EveryWay, person: Person) =>
    (await db.sessions.findByUser(person.id)).map(({ id }) => id);
  const sessionOf = async ({ server }: EveryWay, accessToken: string | null) =>
    (await server.resumeLiveSession(accessToken)).session;

  test.each(DOORS)('S31 $way: a challenge, and no session', async ({ enter }) => {
    const { accounts, person, hasNoNewSession } = await begin();
    const { code, challenge } = await enter(accounts, person);
    expect(code).toBe('TWO_FACTOR_REQUIRED');
    expect(challenge).toMatch(/^[\w-]{43}$/);
    expect(await hasNoNewSession()).toBe(true);
  });

  test.each(DOORS)('S34 $way: no session by a wrong code, one by the right one', async ({ enter }) => {
    const { accounts, person } = await begin();
    const { challenge: token } = await enter(accounts, person);
    const before = await sessionsOf(accounts, person);
    const wrong = wrongCode(person.secret, accounts.clock.now());
    expect((await accounts.authenticate('twoFactor', { token, code: wrong })).code).toBe('INVALID_CODE');
    expect(await sessionsOf(accounts, person)).toEqual(before);
    const { accessToken } = await accounts.authenticate('twoFactor', { token, code: person.code() });
    const session = await sessionOf(accounts, accessToken);
    expect(session.userId).toBe(person.id);
    expect(session.amr).toEqual(expect.arrayContaining(['otp', 'mfa']));
    expect(await sessionsOf(accounts, person)).toHaveLength(before.length + 1);
  });

  test.each(ALL_WAYS)('$way: whoever has no second factor is in', async (way) => {
    const accounts = create();
    const id = await accounts.signUp('ada');
    await accounts.server.services.password.addEmail(id, 'ada@example.com', true);
    const token = (await accounts.logIn('ada')).accessToken ?? '';
    const { code, accessToken } = await enterBy(accounts, way, { id, name: 'ada', token });
    expect(code).toBe(null);
    expect((await sessionOf(accounts, accessToken)).amr).toEqual(way.amr);
  });

  test.each(ALL_WAYS)('S35 $way: a recovery code lets in once', async (way) => {
    const { accounts, person } = await begin();
    const [recovery = ''] = await accounts.generate(person.token);
    for (const outcome of [null, 'INVALID_CODE']) {
      const { challenge, factors } = await enterBy(accounts, way, person);
      expect(factors).toEqual(['totp', 'recovery']);
      const entered = await accounts.authenticate('twoFactor', { token: challenge, code: recovery });
      expect(entered.code).toBe(outcome);
      if (outcome === null)
        expect((await sessionOf(accounts, entered.accessToken)).amr).toEqual([...way.amr, 'recovery', 'mfa']);
    }
  });

  test.each(ALL_WAYS)('S34 $way: the code of another user, or of a challenge of another one', async (way) => {
    const { accounts, person, hasNoNewSession } = await begin();
    const grace = await enrolledPerson(accounts, 'grace');
    const { challenge: mine } = await enterBy(accounts, way, person);
    const { challenge: theirs } = await enterBy(accounts, way, grace);
    const [recovery = ''] = await accounts.generate(grace.token);
    const give = async (token: unknown, code: string) =>
      (await accounts.authenticate('twoFactor', { token, code })).code;
    expect(await give(mine, grace.code())).toBe('INVALID_CODE');
    expect(await give(mine, recovery)).toBe('INVALID_CODE');
    expect(await give(theirs, person.code())).toBe('INVALID_CODE');
    expect(await hasNoNewSession()).toBe(true);
    expect(await give(theirs, grace.code())).toBe(null);
  });

  test.each(ALL_WAYS)('S34 $way: its challenge is good for nothing else', async (way) => {
    const { accounts, person, hasNoNewSession } = await begin();
    const { challenge: token } = await enterBy(accounts, way, person);
    const user = { email: 'ada@example.com' };
    for (const service of ['password', 'magicLink', 'code', 'oauth', 'passkey', 'badge', 'nobody']) {
      const params = { user, password: token, provider: 'shop', state: token, token, code: person.code() };
      expect((await accounts.authenticate(service, params)).code).toMatch(
        /^(INVALID_|PROVIDER_|SERVICE_NOT_FOUND$)/,
      );
    }
    const verified = await accounts.verify('twoFactor', { token, code: person.code() }, person.token);
    expect(codeIn(verified)).toBe('INVALID_TOKEN');
    expect(await hasNoNewSession()).toBe(true);
  });

  // Where `code` is the service's own there is no second one beside it.
  test.each(ALL_WAYS.filter(({ codeIsItsOwn }) => !codeIsItsOwn))(
    '$way, with the code in the same step',
    async (way) => {
      const { accounts, person } = await begin();
      const wrong = wrongCode(person.secret, accounts.clock.now());
      expect((await enterBy(accounts, way, person, { code: wrong })).code).toBe('INVALID_CODE');
      const { accessToken } = await enterBy(accounts, way, person, { code: person.code() });
      expect((await sessionOf(accounts, accessToken)).amr).toEqual([...way.amr, 'otp', 'mfa']);
    },
  );

  test.each(ALL_WAYS)('S36 $way: a step-up asks for the second factor too', async ({ prove }) => {
    const { accounts, person } = await begin();
    const { token } = person;
    const authenticatedAt = async () => (await sessionOf(accounts, token)).authenticatedAt;
    const before = await authenticatedAt();
    const { service, params } = await prove(accounts, person, token);
    const asked = await accounts.verify(service, params, token);
    expect(codeIn(asked)).toBe('TWO_FACTOR_REQUIRED');
    expect(await authenticatedAt()).toBe(before);
    const { challenge } = asked.errors?.[0]?.extensions ?? {};
    const code = person.code();
    // It is for that session.
    expect((await accounts.authenticate('twoFactor', { token: challenge, code })).code).toBe('INVALID_TOKEN');
    const proved = await accounts.verify('twoFactor', { token: challenge, code }, token);
    expect(proved.data).toEqual({ verifyAuthentication: true });
    expect(await authenticatedAt()).toBe(accounts.clock.now());
  });

  test('a passkey with user verification counts as two factors, and no other passkey does', async () => {
    const { accounts, person } = await begin();
    const { authenticate, byPasskey, newPasskey } = accounts;
    const authenticator = await newPasskey(person.token);
    const { accessToken } = await authenticate('passkey', await byPasskey(authenticator, true));
    expect((await sessionOf(accounts, accessToken)).amr).toEqual(['hwk', 'user', 'mfa']);
    const { code } = await authenticate('passkey', await byPasskey(authenticator, false));
    expect(code).toBe('TWO_FACTOR_REQUIRED');
    const verified = await accounts.verify('passkey', await byPasskey(authenticator, true), person.token);
    expect(verified.data).toEqual({ verifyAuthentication: true });
  });

  test('a link that was mailed to sign up asks whoever has done so by then for the factor', async () => {
    const accounts = createEveryWay(provider, {
      options: { db: open(), useStatelessSession: stateless },
      services: { magicLink: magicLink({ signUp: true }) },
    });
    const token = await accounts.loginLink('ada');
    const person = await enrolledPerson(accounts, 'ada');
    const { code, challenge } = await accounts.authenticate('magicLink', { token });
    expect(code).toBe('TWO_FACTOR_REQUIRED');
    const entered = await accounts.authenticate('twoFactor', { token: challenge, code: person.code() });
    expect((await sessionOf(accounts, entered.accessToken)).amr).toEqual(['link', 'otp', 'mfa']);
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
    expect((await sessionOf(accounts, tokens.accessToken)).amr).not.toContain('mfa');
  });

  test('S19 a session that began before goes on, and is refreshed; the others are not', async () => {
    const accounts = create();
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

  test.each(ALL_WAYS)('$way: a proof that was given before asks for the factor afterwards', async (way) => {
    const accounts = create();
    const id = await accounts.signUp('ada');
    await accounts.server.services.password.addEmail(id, 'ada@example.com', true);
    const token = (await accounts.logIn('ada')).accessToken ?? '';
    const { service, params } = await way.prove(accounts, { id, name: 'ada', token });
    const secret = await accounts.newSecret(token);
    expect(codeIn(await accounts.set(token, codeAt(secret, accounts.clock.now())))).toBe(null);
    expect((await accounts.authenticate(service, params)).code).toBe('TWO_FACTOR_REQUIRED');
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

  test('a step-up in one step', async () => {
    const { accounts, person } = await begin();
    const proof = { user: { username: 'ada' }, password: PASSWORD, code: person.code() };
    accounts.clock.pass(STEP / 2);
    expect((await accounts.verify('password', proof, person.token)).data).toEqual({
      verifyAuthentication: true,
    });
    expect((await sessionOf(accounts, person.token)).authenticatedAt).toBe(accounts.clock.now());
  });
});
