// Whoever guesses at an account has one budget, whatever is guessed at (S10, S11).
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD } from '../../accounts.ts';
import type { OidcServer } from '../../servers/oidc.ts';
import { codeIn, tally, wrongCode } from './accounts.ts';
import {
  badge,
  createEveryWay,
  type EveryWay,
  enrolledPerson,
  type Person,
  startProvider,
  WAYS,
} from './ways.ts';

let provider: OidcServer;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider?.close());

const email = (name: string) => ({ user: { email: `${name}@example.com` } });
const wrongOf = ({ clock }: EveryWay, { secret }: Person) => wrongCode(secret, clock.now());
/** Not the one that was mailed. */
const otherThan = (code: string) => (code === '000000' ? '000001' : '000000');

let places = 0;

/** Each guesses at another secret of the account; what they are refused with while there is a budget. */
const GUESSES: {
  guess: string;
  refusal: string;
  make: (accounts: EveryWay, person: Person) => Promise<unknown>;
}[] = [
  {
    guess: 'a password',
    refusal: 'INVALID_CREDENTIALS',
    make: async ({ logIn }) => (await logIn('ada', { password: 'not it, surely' })).code,
  },
  {
    guess: 'a code beside the password',
    refusal: 'INVALID_CODE',
    make: async (accounts, person) => (await accounts.logIn('ada', { code: wrongOf(accounts, person) })).code,
  },
  {
    guess: 'a recovery code beside the password, by e-mail',
    refusal: 'INVALID_CODE',
    make: async ({ authenticate }) => {
      const params = { ...email('ADA'), password: PASSWORD, code: 'AAAA-AAAA-AAAA-AAAA' };
      return (await authenticate('password', params)).code;
    },
  },
  {
    guess: 'a code after a challenge',
    refusal: 'INVALID_CODE',
    make: async (accounts, person) => {
      // A challenge of its own: each place has one, and the next voids it.
      const from = { ip: `192.0.2.${++places % 250}` };
      const { challenge } = await accounts.server.loginWithUser(person, from).catch((e) => e.extensions);
      const params = { token: challenge, code: wrongOf(accounts, person) };
      return (await accounts.authenticate('twoFactor', params)).code;
    },
  },
  {
    guess: 'a code beside what cannot be guessed',
    refusal: 'INVALID_CODE',
    make: async (accounts, person) => {
      const params = { token: person.id, code: wrongOf(accounts, person) };
      return (await accounts.authenticate('badge', params)).code;
    },
  },
  {
    guess: 'a mailed code',
    refusal: 'INVALID_CODE',
    make: async ({ authenticate, loginCode }) => {
      const code = otherThan(await loginCode('ada'));
      return (await authenticate('code', { ...email('ada'), code })).code;
    },
  },
  {
    guess: 'a code of a proof that renews no session',
    refusal: 'INVALID_CODE',
    make: async (accounts, person) => {
      const params = { ...email('ada'), password: PASSWORD, code: wrongOf(accounts, person) };
      return codeIn(await accounts.verify('password', params, ''));
    },
  },
];

async function begin(options = {}) {
  const accounts = createEveryWay(provider, { options, services: { badge } });
  return { accounts, person: await enrolledPerson(accounts, 'ada') };
}

describe('S10, S11 one account, one budget', () => {
  test('nine wrong guesses in a row, whatever they are made at; then every guess waits', async () => {
    const { accounts, person } = await begin();
    const rounds = [...GUESSES, ...GUESSES].slice(0, 9);
    for (const { make, refusal } of rounds) expect(await make(accounts, person)).toBe(refusal);
    for (const { make } of GUESSES) expect(await make(accounts, person)).toBe('RATE_LIMITED');
    // The right ones, too.
    expect((await accounts.logIn('ada', { code: person.code() })).code).toBe('RATE_LIMITED');
    const code = await accounts.loginCode('ada');
    expect((await accounts.authenticate('code', { ...email('ada'), code })).code).toBe('RATE_LIMITED');
  });

  test.each(GUESSES)(
    'of thirty guesses at once at $guess nine at most are looked at',
    async ({ make, refusal }) => {
      const { accounts, person } = await begin({
        rateLimits: { recipientMails: 100 },
      });
      const outcomes = await Promise.all(Array.from({ length: 30 }, () => make(accounts, person)));
      const { [refusal]: verified = 0, RATE_LIMITED: waiting = 0 } = tally(outcomes);
      expect([verified <= 9, verified > 0, verified + waiting]).toEqual([true, true, 30]);
    },
  );

  test('a first factor that is right, by whatever way, neither spends nor resets', async () => {
    const { accounts, person } = await begin();
    const [password] = GUESSES;
    for (let n = 0; n < 8; n++) expect(await password?.make(accounts, person)).toBe('INVALID_CREDENTIALS');
    for (const { prove } of WAYS) {
      const { service, params } = await prove(accounts, person);
      expect((await accounts.authenticate(service, params)).code).toBe('TWO_FACTOR_REQUIRED');
    }
    expect(await password?.make(accounts, person)).toBe('INVALID_CREDENTIALS');
    expect(await password?.make(accounts, person)).toBe('RATE_LIMITED');
  });

  test('a completed login of two steps forgets what was wrong before', async () => {
    const { accounts, person } = await begin();
    for (const { make, refusal } of GUESSES) expect(await make(accounts, person)).toBe(refusal);
    const { challenge } = await accounts.logIn('ada');
    const params = { token: challenge, code: person.code() };
    expect((await accounts.authenticate('twoFactor', params)).code).toBe(null);
    for (const { make, refusal } of GUESSES) expect(await make(accounts, person)).toBe(refusal);
  });

  test('one who waits keeps nobody else waiting', async () => {
    const { accounts, person } = await begin();
    const grace = await enrolledPerson(accounts, 'grace');
    for (let n = 0; n < 10; n++) await GUESSES[0]?.make(accounts, person);
    expect((await accounts.logIn('grace', { code: grace.code() })).code).toBe(null);
  });
});

describe('S34, S13 where rates are not limited', () => {
  test('a challenge and a mailed code take five tries each', async () => {
    const { accounts, person } = await begin({ rateLimits: false });
    const { authenticate, logIn, loginCode } = accounts;
    const [{ challenge }, mailed] = [await logIn('ada'), await loginCode('ada')];
    for (let n = 0; n < 5; n++) {
      const wrong = { token: challenge, code: wrongOf(accounts, person) };
      expect((await authenticate('twoFactor', wrong)).code).toBe('INVALID_CODE');
      expect((await authenticate('code', { ...email('ada'), code: otherThan(mailed) })).code).toBe(
        'INVALID_CODE',
      );
    }
    expect((await authenticate('twoFactor', { token: challenge, code: person.code() })).code).toBe(
      'INVALID_TOKEN',
    );
    expect((await authenticate('code', { ...email('ada'), code: mailed })).code).toBe('INVALID_CODE');
  });

  test('sixteen at once have five tries of a challenge, whatever codes they give', async () => {
    const { accounts, person } = await begin({ rateLimits: false });
    const { challenge } = await accounts.logIn('ada');
    const codes = Array.from({ length: 16 }, (_, n) =>
      n % 2 ? 'AAAA-AAAA-AAAA-AAAA' : wrongOf(accounts, person),
    );
    const outcomes = await Promise.all(
      codes.map((code) => accounts.authenticate('twoFactor', { token: challenge, code })),
    );
    expect(tally(outcomes.map(({ code }) => code))).toEqual({ INVALID_CODE: 5, INVALID_TOKEN: 11 });
  });
});

test('S12 from one address a hundred wrong guesses are looked at, at whatever accounts', async () => {
  const { accounts } = await begin();
  const at = async (n: number, service: string) => {
    const user = { email: `nobody${n}@example.com` };
    const connection = { ip: '192.0.2.9' };
    return accounts.server
      .loginWithService(service, { user, password: PASSWORD, code: '000000' }, connection)
      .then(
        () => null,
        ({ code }) => code,
      );
  };
  const outcomes = [];
  for (let n = 0; n < 104; n++) outcomes.push(await at(n, n % 2 ? 'password' : 'code'));
  expect(tally(outcomes)).toEqual({ INVALID_CREDENTIALS: 50, INVALID_CODE: 50, RATE_LIMITED: 4 });
});
