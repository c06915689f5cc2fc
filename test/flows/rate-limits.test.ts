// Guesses as somebody makes them who has the program's address and nothing else.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, ask, Bench, LOG_IN, PASSWORD, SIGN_UP, tokensOf } from '../cli/child.ts';
import { printed } from '../program.ts';

const WRONG = 'not the password';
const user = (email: string) => ({ email });

const codes = ({ errors = [] }: Pick<Answer, 'errors'>): (string | undefined)[] =>
  errors.map(({ extensions }) => extensions.code);
const count = (all: readonly (string | undefined)[], code: string): number =>
  all.filter((found) => found === code).length;

describe('S10, S11 at the served endpoint', () => {
  const bench = new Bench();
  let url: string;
  let clients = 0;
  /** A client of an address of its own, by way of a proxy that is trusted. */
  const newAddress = () => ({ 'x-forwarded-for': `192.0.2.${++clients}` });

  beforeAll(async () => {
    const program = await bench.start({ TRUSTED_PROXIES: '127.0.0.1', HASH_CONCURRENCY: '2' });
    url = program.url;
  });
  afterAll(() => bench.close());

  const signUp = async (email: string, username?: string): Promise<void> => {
    const signedUp = await ask(url, SIGN_UP, { user: { email, username, password: PASSWORD } }, newAddress());
    expect(signedUp.errors).toBeUndefined();
  };
  const logIn = (who: object, password: string, headers: object = newAddress()) =>
    ask(url, LOG_IN, { user: who, password }, headers);

  const field = (alias: string, who: string) =>
    `${alias}: authenticate(serviceName: "password", params: { user: { ${who} }, password: "${WRONG}" }) { sessionId }`;

  test('100 requests at once have nine verified; the others say when to come again, also in the header', async () => {
    await signUp('ada@example.com');
    const headers = newAddress();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => logIn(user('ada@example.com'), WRONG, headers)),
    );
    expect(count(answers.flatMap(codes), 'INVALID_CREDENTIALS')).toBe(9);
    expect(count(answers.flatMap(codes), 'RATE_LIMITED')).toBe(91);
    for (const answer of answers) {
      const { code, retryAfter }: { code?: string; retryAfter?: number } =
        answer.errors?.[0]?.extensions ?? {};
      const header = answer.headers.get('retry-after');
      if (code !== 'RATE_LIMITED') expect(header).toBeNull();
      else {
        expect(header).toBe(String(retryAfter));
        expect(retryAfter).toBeGreaterThan(0);
        expect(retryAfter).toBeLessThanOrEqual(60);
      }
      expect(answer.headers.get('access-control-expose-headers')).toContain('retry-after');
    }
    // Wherever it comes from: it is the account that waits.
    expect(codes(await logIn(user('ada@example.com'), PASSWORD))).toEqual(['RATE_LIMITED']);
  });

  test('aliases, fragments and spellings are of one budget', async () => {
    await signUp('grace@example.com', 'grace');
    const spellings = ['email: "grace@example.com"', 'email: "GRACE@Example.com"', 'username: "Grace"'];
    const aliases = Array.from({ length: 8 }, (_, n) => field(`a${n}`, spellings[n % 3] ?? ''));
    const fragment = Array.from({ length: 8 }, (_, n) => field(`f${n}`, spellings[n % 3] ?? ''));
    const document = `mutation { ${aliases.join(' ')} ...More } fragment More on Mutation { ${fragment.join(' ')} }`;
    const headers = newAddress();
    const answer = await ask(url, document, {}, headers);
    expect(count(codes(answer), 'INVALID_CREDENTIALS')).toBe(9);
    expect(count(codes(answer), 'RATE_LIMITED')).toBe(7);
    expect(codes(await logIn({ username: 'grace' }, PASSWORD, headers))).toEqual(['RATE_LIMITED']);
  });

  test('an account that nobody has is delayed as any other', async () => {
    const headers = newAddress();
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => logIn(user('nobody@example.com'), WRONG, headers)),
    );
    expect(count(answers.flatMap(codes), 'INVALID_CREDENTIALS')).toBe(9);
    expect(count(answers.flatMap(codes), 'RATE_LIMITED')).toBe(21);
  });

  test('a known device gets in while strangers guess, also by an access token', async () => {
    await signUp('edith@example.com');
    const { accessToken } = tokensOf(await logIn(user('edith@example.com'), PASSWORD));
    await Promise.all(Array.from({ length: 20 }, () => logIn(user('edith@example.com'), WRONG)));
    expect(codes(await logIn(user('edith@example.com'), PASSWORD))).toEqual(['RATE_LIMITED']);
    const device = { ...newAddress(), authorization: `Bearer ${accessToken}` };
    expect(codes(await logIn(user('edith@example.com'), PASSWORD, device))).toEqual([]);
  });

  test('S12 from one address 100 are verified; a forwarded header of the client’s own making changes nothing', async () => {
    const guess = (n: number) =>
      logIn(user(`nobody${n}@example.com`), WRONG, { 'x-forwarded-for': `198.51.100.${n}, 203.0.113.9` });
    const answers = await Promise.all(Array.from({ length: 120 }, (_, n) => guess(n)));
    expect(count(answers.flatMap(codes), 'INVALID_CREDENTIALS')).toBe(100);
    expect(count(answers.flatMap(codes), 'RATE_LIMITED')).toBe(20);
  });

  test('sign-ups and requested mails are 30 an hour for an address each', async () => {
    const headers = newAddress();
    const short = { username: 'x', password: 'short' };
    const signUps = await Promise.all(
      Array.from({ length: 32 }, () => ask(url, SIGN_UP, { user: short }, headers)),
    );
    expect(count(signUps.flatMap(codes), 'RATE_LIMITED')).toBe(2);
    const request = 'mutation { sendResetPasswordEmail(email: "nobody@example.com") }';
    const mails = await Promise.all(Array.from({ length: 32 }, () => ask(url, request, {}, headers)));
    expect(count(mails.flatMap(codes), 'RATE_LIMITED')).toBe(2);
    const limited = [...signUps, ...mails].filter((answer) => codes(answer).includes('RATE_LIMITED'));
    for (const { headers: received } of limited)
      expect(Number(received.get('retry-after'))).toBeGreaterThan(3_000);
  });

  test('S10 right logins of one user at once all get in', async () => {
    await signUp('mary@example.com');
    const headers = newAddress();
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => logIn(user('mary@example.com'), PASSWORD, headers)),
    );
    expect(answers.flatMap(codes)).toEqual([]);
  });
});

describe('RATE_LIMITS', () => {
  let bench: Bench;
  afterEach(() => bench.close());

  test('off limits no guesses, and warns at the start', async () => {
    bench = new Bench();
    const { url, output, child } = await bench.start({ RATE_LIMITS: 'off' });
    await printed(child, output, /RATE_LIMITS is off/);
    const guesses = await Promise.all(
      Array.from({ length: 40 }, () =>
        ask(url, LOG_IN, { user: user('nobody@example.com'), password: WRONG }),
      ),
    );
    expect(count(guesses.flatMap(codes), 'INVALID_CREDENTIALS')).toBe(40);
  });

  test('on is the default, and says nothing', async () => {
    bench = new Bench();
    const { output } = await bench.start({ RATE_LIMITS: 'on' });
    expect(output()).not.toMatch(/RATE_LIMITS/);
  });

  test.each(['0', 'yes', 'OFF', 'false'])('%s stops the start with one line', async (value) => {
    bench = new Bench();
    const { code, stderr } = await bench.run(['serve'], { RATE_LIMITS: value, PORT: '0' });
    expect([code, stderr]).toEqual([1, 'graphql-accounts: RATE_LIMITS must be on or off\n']);
  });
});
