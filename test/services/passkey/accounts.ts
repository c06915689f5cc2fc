import { makeExecutableSchema } from '@graphql-tools/schema';
import { createYoga } from 'graphql-yoga';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { AccountsDatabase } from '../../../src/database/ports.ts';
import {
  AccountsError,
  AccountsServer,
  type AccountsServerOptions,
  type AccountsService,
  accountsModule,
  type Mail,
  type PasskeyOptions,
  passkey,
  password,
  type ServiceFactory,
  useAccounts,
} from '../../../src/index.ts';
import { createClock, fastHashes, PASSWORD, SECRET } from '../../accounts.ts';
import { Authenticator, type Twist } from './authenticator.ts';

export const CODE = '123456';

/** A second factor that takes one code: who has it is said by the identity, as for every factor. */
const factor: ServiceFactory<AccountsService> = {
  create: ({ secondFactors }) => ({
    authenticate: ({ token, code }, _connection, attempt) => secondFactors.redeem(token, code, attempt),
    factor: {
      factors: ['totp'],
      verify: async (_user, code) => {
        if (code !== CODE) throw new AccountsError('INVALID_CODE');
        return { amr: ['otp'], stillHolds: async () => true };
      },
    },
  }),
};

export interface Answer {
  data: Record<string, never> & { [field: string]: unknown };
  code: string | undefined;
  extensions: { [name: string]: unknown } | undefined;
}

/** Accounts with passwords and passkeys in memory, behind GraphQL as a gateway has it. */
export function createAccounts(
  options: Partial<AccountsServerOptions> = {},
  passkeyOptions: PasskeyOptions = {},
  db: AccountsDatabase = memoryDatabase(),
) {
  const clock = createClock();
  const mails: Mail[] = [];
  const errors: { error: unknown; where: string }[] = [];
  const server = new AccountsServer(
    {
      db,
      tokenSecret: SECRET,
      now: clock.now,
      sendMail: (mail) => mails.push(mail),
      onError: (error, where) => errors.push({ error, where }),
      impersonationAuthorize: () => true,
      ...options,
    },
    { password: password(fastHashes), passkey: passkey(passkeyOptions), factor },
  );
  const yoga = createYoga({
    schema: makeExecutableSchema(accountsModule(server)),
    plugins: [useAccounts(server)],
    logging: false,
  });

  const ask = async (query: string, variables: object = {}, token?: string): Promise<Answer> => {
    const response = await yoga.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors: refusals } = (await response.json()) as {
      data: Answer['data'];
      errors?: { extensions: { code: string } }[];
    };
    const extensions = refusals?.[0]?.extensions;
    return { data: data ?? {}, code: extensions?.code, extensions };
  };

  const signUp = async (email: string): Promise<string> => {
    await server.services.password.createUser({ email, password: PASSWORD }, {});
    const user = await server.services.password.findUserByEmail(email);
    if (!user) throw new Error('the user was not created');
    return user.id;
  };
  const logIn = async (email: string): Promise<string> => {
    const params = { user: { email }, password: PASSWORD };
    return (await server.loginWithService('password', params, {})).tokens.accessToken;
  };
  const loginOptions = async () => {
    const { data } = await ask('mutation { passkeyLoginOptions { options challenge } }');
    return data.passkeyLoginOptions as unknown as { options: { rpId: string }; challenge: string };
  };
  const registrationOptions = async (token: string) => {
    const { data } = await ask('mutation { passkeyRegistrationOptions }', {}, token);
    return data.passkeyRegistrationOptions as unknown as {
      challenge: string;
      user: { id: string; name: string };
      excludeCredentials: { id: string }[];
    };
  };

  return {
    ...{ server, db, clock, mails, errors, ask, signUp, logIn, loginOptions, registrationOptions },
    /** Signs somebody up and logs in; the access token and the id. */
    async member(email: string) {
      const userId = await signUp(email);
      return { userId, token: await logIn(email) };
    },
    /** Makes a passkey for whoever is logged in. */
    async addPasskey(token: string, authenticator = new Authenticator(), twist: Twist = {}) {
      const response = authenticator.create(await registrationOptions(token), twist);
      const answer = await ask(REGISTER, { response }, token);
      if (answer.code) throw new Error(`refused: ${answer.code}`);
      return authenticator;
    },
    register: (token: string, response: unknown, name?: string) =>
      ask(REGISTER, { response, name: name ?? null }, token),
    /** Logs in with an answer of an authenticator. */
    enter: (challenge: unknown, response: unknown, token?: string) =>
      ask(ENTER, { token: challenge, response }, token),
    /** The whole login. */
    async enterWith(authenticator: Authenticator, twist: Twist = {}) {
      const { options, challenge } = await loginOptions();
      return ask(ENTER, { token: challenge, response: authenticator.get(options, twist) });
    },
    passkeys: async (token: string) => {
      const { data } = await ask('{ passkeys { id name createdAt lastUsedAt backedUp } }', {}, token);
      return data.passkeys as unknown as {
        id: string;
        name: string;
        lastUsedAt: string | null;
        backedUp: boolean;
      }[];
    },
    remove: (token: string, id: string) =>
      ask('mutation ($id: ID!) { passkeyRemove(id: $id) }', { id }, token),
    rename: (token: string, id: string, name: string) =>
      ask(
        'mutation ($id: ID!, $name: String!) { passkeyRename(id: $id, name: $name) { id name } }',
        { id, name },
        token,
      ),
  };
}

const REGISTER = `mutation ($response: JSON!, $name: String) {
  passkeyRegister(response: $response, name: $name) { id name createdAt lastUsedAt backedUp }
}`;

const ENTER = `mutation ($token: String, $response: JSON) {
  authenticate(serviceName: "passkey", params: { token: $token, response: $response }) {
    sessionId tokens { accessToken refreshToken } user { id }
  }
}`;

/** What an access token says. */
export function claimsOf(answer: Answer): { sub: string; amr: string[]; auth_time: number } {
  const { tokens } = answer.data.authenticate as unknown as { tokens: { accessToken: string } };
  return JSON.parse(Buffer.from(tokens.accessToken.split('.')[1] ?? '', 'base64url').toString());
}
