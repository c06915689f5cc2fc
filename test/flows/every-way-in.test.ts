// Every way in, in one program, by real requests: from the sign-up to a second start.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Bench, send } from '../cli/child.ts';
import { CLIENT, type OidcServer, startOidc } from '../servers/oidc.ts';
import { newDatabase, startPostgres } from '../servers/postgres.ts';
import { ALL_STORES_REQUIRED, programPath } from '../servers/process.ts';
import { startRedis } from '../servers/redis.ts';
import { Authenticator } from '../services/passkey/authenticator.ts';
import { payloadOf } from '../stores/program.ts';
import { exercised } from '../stores.ts';
import { Client, Mailbox, Secrets, type Tokens, Totp } from './fixtures/client.ts';

const SITE = 'https://diary.example.com';
const ADA = 'ada@example.com';
const BOB = 'bob@example.com';

let provider: OidcServer;
beforeAll(async () => {
  provider = await startOidc({ redirectUris: [`${SITE}/oauth/callback`] });
});
afterAll(() => provider?.close());

type Environment = { [name: string]: string };

const SETTINGS: { setting: string; isHere: boolean; environment: () => Promise<Environment> }[] = [
  { setting: 'on SQLite', isHere: true, environment: async () => ({}) },
  { setting: 'on SQLite, statelessly', isHere: true, environment: async () => ({ STATELESS: '1' }) },
  {
    setting: 'on PostgreSQL with sessions in Redis',
    isHere: ALL_STORES_REQUIRED || (programPath('initdb') !== null && programPath('redis-server') !== null),
    async environment() {
      const [postgres, redis] = [await startPostgres(), await startRedis()];
      onTestFinished(async () => {
        await postgres?.close();
        await redis?.close();
      });
      if (!postgres || !redis) throw new Error('PostgreSQL or Redis is not on this machine');
      for (const store of ['PostgreSQL', 'Redis']) exercised(store);
      const TOKEN_SECRET = 'a secret of the flow, which is long enough';
      return { DATABASE_URL: await newDatabase(postgres), SESSIONS_URL: redis.url, TOKEN_SECRET };
    },
  },
];

async function start(settings: Environment) {
  const bench = new Bench();
  onTestFinished(() => bench.close());
  const mailbox = new Mailbox(bench.folder);
  const environment = {
    ...settings,
    SITE_URL: SITE,
    MAIL_URL: `file:${mailbox.folder}`,
    OAUTH_SHOP_ISSUER: provider.issuer,
    OAUTH_SHOP_CLIENT_ID: CLIENT.clientId,
    OAUTH_SHOP_CLIENT_SECRET: CLIENT.clientSecret,
  };
  if (settings.DATABASE_URL) {
    const { code, stderr } = await bench.run(['migrate'], environment);
    expect([code, stderr]).toEqual([0, '']);
  }
  return { mailbox, restart: () => bench.start(environment) };
}

describe.each(SETTINGS)('$setting', ({ isHere, environment }) => {
  test.skipIf(!isHere)('somebody goes by every way', { timeout: 240_000 }, async () => {
    const settings = await environment();
    const { mailbox, restart } = await start(settings);
    const program = await restart();
    const secrets = new Secrets();
    secrets.keep(CLIENT.clientSecret);
    const client = new Client(program.url, secrets);
    const password = secrets.keep('canary horse battery staple');
    const byPassword = { user: { email: ADA }, password };
    const me = async (token: string) =>
      (await client.get('{ getUser { emails { address verified } twoFactorEnabled } }', {}, token)).getUser;

    // Signs up, logs in, proves the address. Looking at the link uses nothing up (S30).
    const signUp = 'mutation ($user: CreateUserInput!) { createUser(user: $user) { userId } }';
    for (const email of [ADA, BOB])
      expect(await client.get(signUp, { user: { email, password } })).toEqual({
        createUser: { userId: null },
      });
    const first = tokensIn(await client.authenticate('password', byPassword));
    const { accessToken } = first;
    await client.get('mutation ($email: String!) { sendVerificationEmail(email: $email) }', { email: ADA });
    const link = secrets.keep(await mailbox.read(ADA, /\/verify-email\/([\w-]+)/));
    for (const method of ['GET', 'HEAD'])
      expect((await send(`${program.origin}/verify-email/${link}`, { method })).status).toBe(200);
    await client.get('mutation ($token: String!) { verifyEmail(token: $token) }', { token: link });
    expect(await me(accessToken)).toEqual({
      emails: [{ address: ADA, verified: true }],
      twoFactorEnabled: false,
    });

    // A second factor, with codes for the day on which the phone is gone; a passkey and an account of a provider.
    const totp = await enrol(client, accessToken);
    const recovery = await recoveryCodes(client, accessToken);
    expect(recovery).toHaveLength(10);
    const [usedBefore = ''] = recovery;
    const passkey = await newPasskey(client, accessToken);
    const linked = await client.get(
      `mutation ($code: String!, $state: String!) { linkOAuth(provider: "shop", code: $code, state: $state) }`,
      await client.atProvider(provider, 'ada at the shop', accessToken),
      accessToken,
    );
    expect(linked).toEqual({ linkOAuth: true });
    expect(await me(accessToken)).toMatchObject({ twoFactorEnabled: true });

    // By every way, each of which asks for the second factor.
    const next = (): string => recovery.shift() ?? '';
    const mailed = async (request: string, pattern: RegExp): Promise<string> => {
      await client.get(`mutation ($email: String!) { ${request}(email: $email) }`, { email: ADA });
      return secrets.keep(await mailbox.read(ADA, pattern));
    };
    const entered: [string, Tokens][] = [
      ['pwd otp mfa', await client.enter('password', byPassword, await totp.code())],
      [
        'link otp mfa',
        await client.enter(
          'magicLink',
          { token: await mailed('requestMagicLinkEmail', /\/magic-link\/([\w-]+)/) },
          await totp.code(),
        ),
      ],
      [
        'code recovery mfa',
        await client.enter(
          'code',
          { user: { email: ADA }, code: await mailed('requestLoginCode', /^(\d{6})$/m) },
          next(),
        ),
      ],
      [
        'oauth recovery mfa',
        await client.enter('oauth', await client.atProvider(provider, 'ada at the shop'), next()),
      ],
      [
        'hwk user recovery mfa',
        await client.enter('passkey', await client.byPasskey(passkey, false), next()),
      ],
      ['hwk user mfa', tokensIn(await client.authenticate('passkey', await client.byPasskey(passkey, true)))],
    ];
    for (const [amr, tokens] of entered) {
      expect(payloadOf(tokens.accessToken).amr).toEqual(amr.split(' '));
      expect(await me(tokens.accessToken)).toMatchObject({ emails: [{ address: ADA }] });
    }
    await refresh(client, first);

    // Guesses at somebody else's account; the header says when to come again.
    const guess = { user: { email: BOB }, password: secrets.keep('canary of a wrong guess') };
    for (let n = 0; n < 9; n++)
      expect((await client.authenticate('password', guess)).code).toBe('INVALID_CREDENTIALS');
    const limited = await client.authenticate('password', guess);
    expect(limited.code).toBe('RATE_LIMITED');
    expect(limited.headers.get('retry-after')).toBe(String(limited.extensions.retryAfter));
    expect((await client.authenticate('code', { user: { email: BOB }, code: '123456' })).code).toBe(
      'RATE_LIMITED',
    );

    for (const secret of [password, accessToken, recovery[0] ?? '', link])
      await spill(client, program.origin, secret);

    // A second start: what was used up stays so, and what was good is.
    await program.stop();
    const again = await restart();
    const returning = new Client(again.url, secrets);
    const code = next();
    await returning.enter('password', byPassword, code);
    for (const used of [code, usedBefore])
      expect((await returning.authenticate('password', { ...byPassword, code: used })).code).toBe(
        'INVALID_CODE',
      );
    expect((await returning.get('{ getUser { id } }', {}, accessToken)).getUser).not.toBe(null);
    expect((await returning.authenticate('password', guess)).code).toBe('RATE_LIMITED');

    // A new password, by the link: two factors are asked for as before, and every session has ended.
    await returning.get('mutation ($email: String!) { sendResetPasswordEmail(email: $email) }', {
      email: ADA,
    });
    const variables = {
      token: secrets.keep(await mailbox.read(ADA, /\/reset-password\/([\w-]+)/)),
      typed: secrets.keep('canary of a new password'),
    };
    const RESET =
      'mutation ($token: String!, $typed: String!) { resetPassword(token: $token, newPassword: $typed) { sessionId } }';
    expect(await returning.get(RESET, variables)).toEqual({ resetPassword: null });
    expect((await returning.authenticate('password', byPassword)).code).toBe('INVALID_CREDENTIALS');
    await returning.enter('password', { ...byPassword, password: variables.typed }, next());
    for (const [, { accessToken: token, refreshToken }] of entered)
      expect((await returning.ask(REFRESH, { accessToken: token, refreshToken })).code).toBe(
        'UNAUTHENTICATED',
      );

    await again.stop();
    for (const output of [program.output(), again.output()]) {
      expect(output).toContain('"operation":"mutation authenticate"');
      expect(secrets.in(output)).toEqual([]);
    }
    expect(secrets.size).toBeGreaterThan(40);
  });
});

const REFRESH = `mutation ($accessToken: String!, $refreshToken: String!) {
  refreshTokens(accessToken: $accessToken, refreshToken: $refreshToken) { tokens { accessToken refreshToken } }
}`;

function tokensIn({ tokens, code }: { tokens: Tokens | null; code: string | null }): Tokens {
  if (!tokens) throw new Error(`refused with ${code}`);
  return tokens;
}

/** Turns the second factor on; an authenticator with its secret. */
async function enrol(client: Client, token: string): Promise<Totp> {
  const query = '{ twoFactorSecret { base32 hex otpauth_url google_auth_qr } }';
  const { twoFactorSecret } = await client.get(query, {}, token);
  const { base32, hex, google_auth_qr } = twoFactorSecret as { [form: string]: string };
  for (const form of [base32, hex]) client.secrets.keep(form ?? '');
  // No foreign service draws it, which would know the secret then.
  expect(google_auth_qr).toMatch(/^data:image\/svg\+xml[;,]/);
  const totp = new Totp(base32 ?? '');
  const set = `mutation ($code: String!) { twoFactorSet(secret: { base32: "GEZDGNBVGY3TQOJQ" }, code: $code) }`;
  await client.get(set, { code: client.secrets.keep(await totp.code()) }, token);
  return totp;
}

async function recoveryCodes(client: Client, token: string): Promise<string[]> {
  const { generateRecoveryCodes: codes } = await client.get('mutation { generateRecoveryCodes }', {}, token);
  return (codes as string[]).map((code) => client.secrets.keep(code));
}

async function newPasskey(client: Client, token: string): Promise<Authenticator> {
  const options = await client.get('mutation { passkeyRegistrationOptions }', {}, token);
  const passkey = new Authenticator(SITE);
  const response = passkey.create(options.passkeyRegistrationOptions);
  const register =
    'mutation ($response: JSON!) { passkeyRegister(response: $response, name: "Key") { name } }';
  expect(await client.get(register, { response }, token)).toEqual({ passkeyRegister: { name: 'Key' } });
  return passkey;
}

/** Its successors are good. */
async function refresh(client: Client, tokens: Tokens): Promise<void> {
  const { refreshTokens } = await client.get(REFRESH, tokens);
  const { tokens: successors } = refreshTokens as { tokens: Tokens };
  for (const token of Object.values(successors)) client.secrets.keep(token);
  expect((await client.get('{ getUser { id } }', {}, successors.accessToken)).getUser).not.toBe(null);
}

/** Puts secrets where they do not belong, as people and clients do: none may be told on (S46). */
async function spill(client: Client, origin: string, secret: string): Promise<void> {
  expect((await client.authenticate(secret, {})).code).toBe('SERVICE_NOT_FOUND');
  const wrongly: [string, object, string?][] = [
    ['mutation ($t: String!) { verifyEmail(token: $t) }', { t: secret }],
    ['mutation ($t: String!) { verifyEmail(token: $t) }', { t: { [secret]: secret } }],
    [`mutation { verifyEmail(token: "${secret}") }`, {}],
    [`mutation { verifyEmail(token: "${secret} }`, {}],
    [`query { getUser { ${secret.replace(/\W/g, '')} } }`, {}],
    ['{ getUser { id } }', {}, secret],
  ];
  for (const [query, variables, token] of wrongly) await client.ask(query, variables, token);
  const typed = encodeURIComponent(secret);
  for (const path of [
    `magic-link/${typed}`,
    `oauth/callback?code=${typed}&state=${typed}`,
    `health?x=${typed}`,
  ])
    await send(`${origin}/${path}`);
}
