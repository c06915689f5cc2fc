// Accounts with a second factor behind a gateway, an authenticator of our own, and what attackers try.
import { createHmac } from 'node:crypto';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { createYoga } from 'graphql-yoga';
import { createSecretBox, encryptionKeyOf } from '../../../src/core/secret-box.ts';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { accountsModule } from '../../../src/graphql/module.ts';
import { useAccounts } from '../../../src/graphql/use-accounts.ts';
import {
  AccountsServer,
  type AccountsServerOptions,
  type AccountsService,
  type Mail,
  type PasswordOptions,
  password,
  type ServiceFactory,
  type TwoFactorOptions,
  twoFactor,
} from '../../../src/index.ts';
import { createClock, fastHashes, PASSWORD, SECRET } from '../../accounts.ts';

export const MINUTE = 60_000;
export const STEP = 30_000;
/** Encrypts as the import does for a server that is given no key of its own. */
export const box = createSecretBox([encryptionKeyOf(SECRET)]);

/** What an authenticator shows: RFC 6238 written down once more, so that the library is not judged by itself. */
export function codeAt(base32: string, time: number): string {
  const bits = [...base32].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2));
  const bytes =
    bits
      .map((five) => five.padStart(5, '0'))
      .join('')
      .match(/.{8}/g) ?? [];
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(time / STEP)));
  const key = Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** Six digits that are not the code of any step near. */
export function wrongCode(secret: string, time: number): string {
  const near = [-2, -1, 0, 1, 2].map((steps) => codeAt(secret, time + steps * STEP));
  for (let n = 0; ; n++) {
    const code = String(n).padStart(6, '0');
    if (!near.includes(code)) return code;
  }
}

export interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
}

export interface LoginAnswer {
  accessToken: string | null;
  refreshToken: string | null;
  /** The error's code, null for a login. */
  code: unknown;
  challenge: string;
  factors: unknown;
}

export function createTwoFactor(
  {
    options = {},
    passwordOptions = {},
    twoFactorOptions = {},
    services = {},
  }: {
    options?: Partial<AccountsServerOptions>;
    passwordOptions?: PasswordOptions;
    twoFactorOptions?: TwoFactorOptions;
    services?: Record<string, ServiceFactory<AccountsService>>;
  } = {},
  clock = createClock(),
) {
  const mails: Mail[] = [];
  const errors: { error: unknown; where: string }[] = [];
  const db = options.db ?? memoryDatabase();
  const server = new AccountsServer(
    {
      db,
      tokenSecret: SECRET,
      now: clock.now,
      siteUrl: 'https://diary.example.com',
      sendMail: (mail) => mails.push(mail),
      onError: (error, where) => errors.push({ error, where }),
      ...options,
    },
    {
      password: password({ ...fastHashes, ...passwordOptions }),
      twoFactor: twoFactor(twoFactorOptions),
      ...services,
    },
  );
  const schema = makeExecutableSchema(accountsModule(server));
  const yoga = createYoga({ schema, logging: false, plugins: [useAccounts(server)] });
  const ask = async (
    query: string,
    { token, variables }: { token?: string | null; variables?: object } = {},
  ): Promise<Answer> => {
    const response = await yoga.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as Answer;
  };
  const authenticate = async (
    serviceName: string,
    params: object,
    token?: string | null,
  ): Promise<LoginAnswer> => {
    const answer = await ask(
      `mutation ($serviceName: String!, $params: AuthenticateParamsInput!) {
        authenticate(serviceName: $serviceName, params: $params) { tokens { accessToken refreshToken } }
      }`,
      { variables: { serviceName, params }, ...(token && { token }) },
    );
    const { tokens } = (answer.data?.authenticate ?? {}) as { tokens?: Record<string, string> };
    const { code = null, challenge = '', factors } = answer.errors?.[0]?.extensions ?? {};
    return {
      accessToken: tokens?.accessToken ?? null,
      refreshToken: tokens?.refreshToken ?? null,
      code,
      challenge: String(challenge),
      factors,
    };
  };
  /** Proves an identity once more for the session of a token. */
  const verify = (serviceName: string, params: object, token: string): Promise<Answer> =>
    ask(
      `mutation ($serviceName: String!, $params: AuthenticateParamsInput!) {
        verifyAuthentication(serviceName: $serviceName, params: $params)
      }`,
      { variables: { serviceName, params }, token },
    );
  const logIn = (
    name: string,
    more: { code?: string | null; password?: string } = {},
  ): Promise<LoginAnswer> =>
    authenticate('password', { user: { username: name }, password: PASSWORD, ...more });
  const signUp = async (name: string): Promise<string> => {
    const { password: service } = server.services;
    await service.createUser({ username: name, email: `${name}@example.com`, password: PASSWORD });
    const user = await service.findUserByUsername(name);
    if (!user) throw new Error('the user was not created');
    return user.id;
  };
  const newSecret = async (token: string): Promise<string> => {
    const answer = await ask('{ twoFactorSecret { base32 } }', { token });
    const { base32 } = (answer.data?.twoFactorSecret ?? {}) as { base32?: string };
    if (!base32) throw new Error(`there was no secret: ${JSON.stringify(answer)}`);
    return base32;
  };
  const set = (token: string, code: string): Promise<Answer> =>
    ask('mutation ($code: String!) { twoFactorSet(secret: {}, code: $code) }', {
      token,
      variables: { code },
    });
  const unset = (token: string, code: string): Promise<Answer> =>
    ask('mutation ($code: String!) { twoFactorUnset(code: $code) }', { token, variables: { code } });
  const generate = async (token: string): Promise<string[]> => {
    const answer = await ask('mutation { generateRecoveryCodes }', { token });
    const codes = answer.data?.generateRecoveryCodes;
    if (!Array.isArray(codes)) throw new Error(`there were no codes: ${JSON.stringify(answer)}`);
    return codes;
  };
  /** Somebody with a second factor, whose authenticator has a code that was not used yet. */
  const enrolled = async (name: string) => {
    const id = await signUp(name);
    const token = (await logIn(name)).accessToken ?? '';
    const secret = await newSecret(token);
    const answer = await set(token, codeAt(secret, clock.now()));
    if (answer.errors) throw new Error(JSON.stringify(answer));
    clock.pass(STEP);
    return { id, token, secret, code: () => codeAt(secret, clock.now()) };
  };
  /** As the import of accounts-js leaves a user. */
  const imported = async (name: string, secret: string, seal: Pick<typeof box, 'seal'> = box) => {
    const id = await signUp(name);
    const sealed = seal.seal(secret, { service: 'totp', subject: id });
    const record = { service: 'totp', subject: id, userId: id, version: 1, createdAt: clock.now() };
    await db.identities.insert({ ...record, data: { secret: sealed } });
    return id;
  };
  return {
    server,
    service: server.services.twoFactor,
    db,
    clock,
    mails,
    errors,
    schema,
    ask,
    authenticate,
    verify,
    logIn,
    signUp,
    newSecret,
    set,
    unset,
    generate,
    enrolled,
    imported,
    /** The subjects of the mails that went to somebody, in order. */
    async mailsTo(name: string): Promise<string[]> {
      await server.settled();
      return mails.filter(({ to }) => to === `${name}@example.com`).map(({ subject }) => subject);
    },
    async linkTo(name: string, path: string): Promise<string> {
      await server.settled();
      const mail = mails.findLast(
        ({ to, text }) => to === `${name}@example.com` && text.includes(`/${path}/`),
      );
      return mail?.text.match(new RegExp(`/${path}/([\\w-]+)`))?.[1] ?? '';
    },
    /** Whether a token speaks for somebody now. */
    async isLoggedIn(token: string | null): Promise<boolean> {
      const { data } = await ask('{ getUser { id } }', { token });
      return data?.getUser !== null;
    },
  };
}

export type Accounts = ReturnType<typeof createTwoFactor>;

/** The code with which an operation was refused, null when it was not. */
export function codeIn(answer: Answer): unknown {
  return answer.errors?.[0]?.extensions?.code ?? null;
}

/** How often each outcome came about. */
export function tally(outcomes: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[String(outcome)] = (counts[String(outcome)] ?? 0) + 1;
  return counts;
}
