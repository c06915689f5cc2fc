// Every way in, as its client goes it: what proves the first factor, and what came of the attempt.
import { randomUUID } from 'node:crypto';
import {
  AccountsError,
  type AccountsService,
  code,
  magicLink,
  type OAuthProviderOptions,
  oauth,
  passkey,
  type ServiceFactory,
} from '../../../src/index.ts';
import { PASSWORD } from '../../accounts.ts';
import { CLIENT, type OidcServer, startOidc } from '../../servers/oidc.ts';
import { Authenticator } from '../passkey/authenticator.ts';
import { codeIn, createTwoFactor } from './accounts.ts';

type Settings = NonNullable<Parameters<typeof createTwoFactor>[0]>;

const SITE = 'https://diary.example.com';

/** What an application registers itself, at which nothing is guessed, and which does nothing about second factors. */
export const badge: ServiceFactory<AccountsService> = {
  create: ({ users }) => ({
    async authenticate({ token }) {
      const user = await users.find(String(token));
      if (!user) throw new AccountsError('INVALID_CREDENTIALS');
      return { user };
    },
  }),
};

/** A provider on loopback, which has proved the addresses of the accounts `mail ada` and `mail grace`. */
export async function startProvider(): Promise<OidcServer> {
  const provider = await startOidc({ redirectUris: [`${SITE}/oauth/callback`] });
  for (const name of ['ada', 'grace'])
    provider.know(`mail ${name}`, { email: `${name}@example.com`, email_verified: true });
  return provider;
}

/** Accounts with every service that there is. */
export function createEveryWay(
  provider: OidcServer,
  { services = {}, ...settings }: Settings = {},
  clock?: Parameters<typeof createTwoFactor>[1],
) {
  const shop: OAuthProviderOptions = { ...CLIENT, issuer: provider.issuer };
  const all: Record<string, ServiceFactory<AccountsService>> = {
    magicLink: magicLink(),
    code: code(),
    passkey: passkey(),
    oauth: oauth({ providers: { shop } }),
    ...services,
  };
  const passwordOptions = { returnTokensAfterResetPassword: true, ...settings.passwordOptions };
  const accounts = createTwoFactor({ ...settings, passwordOptions, services: all }, clock);

  const mailed = async (name: string, request: string, pattern: RegExp): Promise<string> => {
    const query = `mutation ($email: String!) { ${request}(email: $email) }`;
    await accounts.ask(query, { variables: { email: `${name}@example.com` } });
    await accounts.server.settled();
    const texts = accounts.mails.filter(({ to }) => to === `${name}@example.com`).map(({ text }) => text);
    return texts.map((text) => pattern.exec(text)?.[1]).findLast((found) => found !== undefined) ?? '';
  };
  const loginLink = (name: string) => mailed(name, 'requestMagicLinkEmail', /\/magic-link\/([\w-]+)/);
  const loginCode = (name: string) => mailed(name, 'requestLoginCode', /^(\d{6})$/m);

  /** Logs in at the provider, for a new session or for that of a token. */
  const atProvider = async (subject: string, token?: string) => {
    const start = 'mutation { oauthStart(provider: "shop") { url state } }';
    const { data } = await accounts.ask(start, token ? { token } : {});
    const { url = '', state } = (data?.oauthStart ?? {}) as { url?: string; state?: string };
    const back = await provider.logIn(url, subject);
    return { provider: 'shop', code: back.searchParams.get('code') ?? '', state };
  };
  const linkProvider = async (token: string, subject: string): Promise<void> => {
    const link = `mutation ($code: String!, $state: String!) {
      linkOAuth(provider: "shop", code: $code, state: $state)
    }`;
    const answer = await accounts.ask(link, { token, variables: await atProvider(subject, token) });
    if (codeIn(answer) !== null) throw new Error(`not linked: ${JSON.stringify(answer)}`);
  };

  const newPasskey = async (token: string): Promise<Authenticator> => {
    const { data } = await accounts.ask('mutation { passkeyRegistrationOptions }', { token });
    const authenticator = new Authenticator(SITE);
    const register = 'mutation ($response: JSON!) { passkeyRegister(response: $response) { id } }';
    const response = authenticator.create(data?.passkeyRegistrationOptions);
    const answer = await accounts.ask(register, { token, variables: { response } });
    if (codeIn(answer) !== null) throw new Error(`no passkey: ${JSON.stringify(answer)}`);
    return authenticator;
  };
  const byPasskey = async (authenticator: Authenticator, userVerified: boolean) => {
    const { data } = await accounts.ask('mutation { passkeyLoginOptions { options challenge } }');
    const { options, challenge } = (data?.passkeyLoginOptions ?? {}) as {
      options?: object;
      challenge?: string;
    };
    return { token: challenge, response: authenticator.get(options, { userVerified }) };
  };
  return { ...accounts, loginLink, loginCode, atProvider, linkProvider, newPasskey, byPasskey };
}

export type EveryWay = ReturnType<typeof createEveryWay>;

/** Somebody with a session. */
export interface Whoever {
  id: string;
  name: string;
  token: string;
}

/** Somebody with a second factor, and a session from before it. */
export interface Person extends Whoever {
  secret: string;
  /** Of the authenticator, not used yet. */
  code: () => string;
}

/** Somebody who has proved the address: otherwise a mailed proof is the first, and takes the account over (S39). */
export async function enrolledPerson(accounts: EveryWay, name: string): Promise<Person> {
  const person = { ...(await accounts.enrolled(name)), name };
  await accounts.server.services.password.addEmail(person.id, `${name}@example.com`, true);
  return person;
}

/** What proves the first factor to `authenticate`. */
export interface Proof {
  service: string;
  params: { [name: string]: unknown };
}

export interface Way {
  way: string;
  /** As it stands in `amr`. */
  amr: readonly string[];
  /** For a new session, or for that of a token. */
  prove: (accounts: EveryWay, person: Whoever, current?: string) => Promise<Proof>;
  /** Whether the service reads `code` itself, so that there is no second factor in the same step. */
  codeIsItsOwn?: boolean;
}

/** A new way in is an entry here, and is held to everything in `every-way.test.ts`. */
export const WAYS: readonly Way[] = [
  {
    way: 'password',
    amr: ['pwd'],
    prove: async (_accounts, { name }) => ({
      service: 'password',
      params: { user: { username: name }, password: PASSWORD },
    }),
  },
  {
    way: 'password by e-mail, with a code that is null',
    amr: ['pwd'],
    prove: async (_accounts, { name }) => ({
      service: 'password',
      params: { user: { email: `${name}@EXAMPLE.com` }, password: PASSWORD, code: null },
    }),
  },
  {
    way: 'magic link',
    amr: ['link'],
    prove: async ({ loginLink }, { name }) => ({
      service: 'magicLink',
      params: { token: await loginLink(name) },
    }),
  },
  {
    way: 'magic link by its other name, with an empty code',
    amr: ['link'],
    prove: async ({ loginLink }, { name }) => ({
      service: 'magic-link',
      params: { token: await loginLink(name), code: '' },
    }),
  },
  {
    way: 'mailed code',
    amr: ['code'],
    codeIsItsOwn: true,
    prove: async ({ loginCode }, { name }) => ({
      service: 'code',
      params: { user: { email: `${name}@example.com` }, code: await loginCode(name) },
    }),
  },
  {
    way: 'linked account of a provider',
    amr: ['oauth'],
    codeIsItsOwn: true,
    async prove({ linkProvider, atProvider }, { token }, current) {
      const subject = randomUUID();
      await linkProvider(token, subject);
      return { service: 'oauth', params: await atProvider(subject, current) };
    },
  },
  {
    way: 'account of a provider with the same proved address',
    amr: ['oauth'],
    codeIsItsOwn: true,
    prove: async ({ atProvider }, { name }, current) => ({
      service: 'oauth',
      params: await atProvider(`mail ${name}`, current),
    }),
  },
  {
    way: 'passkey without user verification',
    amr: ['hwk', 'user'],
    async prove({ newPasskey, byPasskey }, { token }) {
      return { service: 'passkey', params: await byPasskey(await newPasskey(token), false) };
    },
  },
];

/** What came of an attempt. */
export interface Outcome {
  /** Null: that was a login. */
  code: unknown;
  challenge?: unknown;
}

/** What leads to a session beside `authenticate`. */
export const OTHER_DOORS: readonly {
  way: string;
  enter: (accounts: EveryWay, person: Person) => Promise<Outcome>;
}[] = [
  {
    way: 'reset that gives tokens',
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
];

export async function outcomeOf(login: Promise<unknown>): Promise<Outcome> {
  return login.then(
    () => ({ code: null }),
    (error: AccountsError) => ({ ...error.extensions }),
  );
}
