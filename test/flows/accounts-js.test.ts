// The front end that accounts-js published, unchanged, against the program as `npm start` runs it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { accountsLink } from '@accounts/apollo-link';
import { AccountsClient } from '@accounts/client';
import { AccountsClientPassword } from '@accounts/client-password';
import { AccountsGraphQLClient, type GraphQLErrorList } from '@accounts/graphql-client';
import * as operations from '@accounts/graphql-client/lib/graphql-operations.js';
import { ApolloClient, ApolloError, HttpLink, InMemoryCache } from '@apollo/client/core/index.js';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { type DocumentNode, parse, print, validate } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { accountsModule } from '../../src/graphql/module.ts';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import { createAccounts } from '../accounts.ts';
import { type Program, startProgram } from '../program.ts';

const PASSWORD = 'correct horse battery staple';
const NEW_PASSWORD = 'wrong donkey accumulator nail';
const MINUTE = 60_000;

/** What comes with later work. */
const LATER_METHODS = ['getTwoFactorSecret', 'twoFactorSet', 'twoFactorUnset', 'requestMagicLinkEmail'];
const LATER_DOCUMENTS = [
  'GetTwoFactorSecretDocument',
  'TwoFactorSetDocument',
  'TwoFactorUnsetDocument',
  'RequestMagicLinkEmailDocument',
];

type Transport = (url: string, options?: { userFieldsFragment: DocumentNode }) => AccountsGraphQLClient;

const TRANSPORTS: { name: string; transport: Transport }[] = [
  { name: 'GraphQLClient over fetch', transport: overFetch },
  { name: 'GraphQLClient over ApolloClient with accountsLink', transport: overApollo('none') },
  { name: 'the same with errorPolicy "all"', transport: overApollo('all') },
];

let program: Program;
beforeAll(async () => {
  // More sign-ups than one address may make.
  program = await startProgram({ RATE_LIMITS: 'off' });
});
afterAll(() => program.stop());
afterEach(() => {
  vi.useRealTimers();
});

describe.each(TRANSPORTS)('$name', ({ transport }) => {
  const called = new Set<string>();
  const connect = () => createFrontEnd(recorded(transport(program.url), called));

  /** Somebody new, not logged in. */
  async function signUp() {
    const email = newEmail();
    const frontEnd = connect();
    await frontEnd.password.createUser({ email, password: PASSWORD });
    return { ...frontEnd, email };
  }

  /** Somebody new, logged in. */
  async function logIn() {
    const person = await signUp();
    await person.password.login({ user: { email: person.email }, password: PASSWORD });
    return person;
  }

  test('signs up, without telling whether the address was free', async () => {
    const { password } = connect();
    const person = { email: newEmail(), password: PASSWORD };
    const first = await password.createUser(person);
    expect(first).toMatchObject({ userId: null, loginResult: null });
    expect(await password.createUser(person)).toEqual(first);
  });

  test('verifies an address by the token in the mail', async () => {
    const { client, password, email } = await logIn();
    expect(await client.getUser()).toMatchObject({ emails: [{ address: email, verified: false }] });
    await password.requestVerificationEmail(email);
    const token = await program.linkTo(email, 'verify-email');
    await password.verifyEmail(token);
    expect(await client.getUser()).toMatchObject({ emails: [{ address: email, verified: true }] });
    expect(await codeOf(password.verifyEmail(token))).toBe('INVALID_TOKEN');
  });

  test('logs in by address, username and id, and keeps the tokens', async () => {
    const { client, password } = connect();
    const email = newEmail();
    const username = email.replace('@example.com', '');
    await password.createUser({ email, username, password: PASSWORD });
    const { sessionId, tokens, user } = await password.login({ user: { email }, password: PASSWORD });
    expect(sessionId).toEqual(expect.any(String));
    expect(await client.getTokens()).toEqual({
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
    });
    expect(user).toMatchObject({ username, emails: [{ address: email, verified: false }] });
    expect(await client.getUser()).toEqual(user);
    const id = user?.id ?? '';
    for (const name of [{ username }, { id }]) {
      expect(await password.login({ user: name, password: PASSWORD })).toMatchObject({ user: { id } });
    }
  });

  test('is refused with our code when the password is wrong', async () => {
    const { client, password, email } = await signUp();
    const wrong = await refusalOf(password.login({ user: { email }, password: NEW_PASSWORD }));
    const unknown = await refusalOf(password.login({ user: { email: newEmail() }, password: NEW_PASSWORD }));
    expect(wrong).toMatchObject({ extensions: { code: 'INVALID_CREDENTIALS' }, path: ['authenticate'] });
    expect(unknown).toEqual(wrong);
    expect(await client.getTokens()).toBeNull();
  });

  test('proves a password without a session', async () => {
    const { client, email } = await signUp();
    const credentials = { user: { email }, password: PASSWORD };
    expect(await client.authenticateWithService('password', credentials)).toBe(true);
    const wrong = client.authenticateWithService('password', { ...credentials, password: NEW_PASSWORD });
    expect(await codeOf(wrong)).toBe('INVALID_CREDENTIALS');
    expect(await client.getTokens()).toBeNull();
  });

  test('refreshes when it is told to', async () => {
    const { client } = await logIn();
    const before = await client.getTokens();
    const after = await client.refreshSession(true);
    expect(after?.refreshToken).not.toBe(before?.refreshToken);
    expect(await client.getTokens()).toMatchObject({ refreshToken: after?.refreshToken });
    expect(await client.getUser()).not.toBeNull();
  });

  test('refreshes by itself once the access token has expired', async () => {
    const { client, email } = await logIn();
    const before = await client.getTokens();
    expect(await client.refreshSession()).toEqual(before);
    letPass(16 * MINUTE);
    expect(await client.getUser()).toMatchObject({ emails: [{ address: email }] });
    const after = await client.getTokens();
    expect(after?.refreshToken).not.toBe(before?.refreshToken);
  });

  test('stays logged in when two requests find the access token expired', async () => {
    const { client } = await logIn();
    letPass(16 * MINUTE);
    const users = await Promise.all([client.getUser(), client.getUser(), client.getUser()]);
    expect(new Set(users.map(({ id }) => id)).size).toBe(1);
    expect(await client.refreshSession(true)).not.toBeNull();
  });

  test('forgets the tokens once the refresh token has expired', async () => {
    const { client } = await logIn();
    letPass(8 * 24 * 60 * MINUTE);
    expect(await client.refreshSession()).toBeNull();
    expect(await client.getTokens()).toBeNull();
    expect(await client.getUser()).toBeNull();
  });

  test('changes the password, and ends the other sessions', async () => {
    const { client, password, email } = await logIn();
    const other = connect();
    await other.password.login({ user: { email }, password: PASSWORD });
    expect(await codeOf(password.changePassword(NEW_PASSWORD, PASSWORD))).toBe('INVALID_CREDENTIALS');
    await password.changePassword(PASSWORD, NEW_PASSWORD);
    expect(await client.getUser()).not.toBeNull();
    expect(await other.client.getUser()).toBeNull();
    expect(await codeOf(other.client.refreshSession(true))).toBe('UNAUTHENTICATED');
    expect(await other.client.getTokens()).toBeNull();
    const login = (typed: string) => connect().password.login({ user: { email }, password: typed });
    expect(await codeOf(login(PASSWORD))).toBe('INVALID_CREDENTIALS');
    expect(await codeOf(login(NEW_PASSWORD))).toBe('not refused');
  });

  test('resets a forgotten password by the token in the mail', async () => {
    const { client, password, email } = await logIn();
    const forgetful = connect();
    await forgetful.password.requestPasswordReset(email);
    const token = await program.linkTo(email, 'reset-password');
    expect(await codeOf(forgetful.password.resetPassword(token, 'short'))).toBe('INVALID_PASSWORD');
    expect(await forgetful.password.resetPassword(token, NEW_PASSWORD)).toBeNull();
    expect(await codeOf(forgetful.password.resetPassword(token, PASSWORD))).toBe('INVALID_TOKEN');
    expect(await client.getUser()).toBeNull();
    await password.login({ user: { email }, password: NEW_PASSWORD });
    expect(await client.getUser()).toMatchObject({ emails: [{ address: email, verified: true }] });
  });

  test('adds an address, which counts once it is verified', async () => {
    const { client, password } = await logIn();
    const second = newEmail();
    await password.addEmail(second);
    const user = await client.getUser();
    expect(user.emails).toContainEqual(expect.objectContaining({ address: second, verified: false }));
    await password.verifyEmail(await program.linkTo(second, 'verify-email'));
    const login = await connect().password.login({ user: { email: second }, password: PASSWORD });
    expect(login.user?.id).toBe(user.id);
  });

  test('may not impersonate, and keeps its own session', async () => {
    const { client, email } = await logIn();
    const other = await signUp();
    expect(await codeOf(client.impersonate({ email: other.email }))).toBe('FORBIDDEN');
    expect(await client.getUser()).toMatchObject({ emails: [{ address: email }] });
  });

  test('logs out: the tokens are gone here and worth nothing there', async () => {
    const { client } = await logIn();
    const tokens = await client.getTokens();
    await client.logout();
    expect(await client.getTokens()).toBeNull();
    expect(await client.getUser()).toBeNull();
    const thief = connect();
    if (tokens) await thief.client.setTokens(tokens);
    expect(await thief.client.getUser()).toBeNull();
    expect(await codeOf(thief.password.changePassword(PASSWORD, NEW_PASSWORD))).toBe('UNAUTHENTICATED');
    expect(await codeOf(thief.client.refreshSession(true))).toBe('UNAUTHENTICATED');
  });

  test('asks for the fields of a fragment of its own', async () => {
    const userFieldsFragment = parse('fragment userFields on User { username }');
    const { password } = createFrontEnd(transport(program.url, { userFieldsFragment }));
    const email = newEmail();
    const username = email.replace('@example.com', '');
    await password.createUser({ email, username, password: PASSWORD });
    const { user } = await password.login({ user: { email }, password: PASSWORD });
    expect(user).toMatchObject({ username });
    expect(JSON.stringify(user)).not.toContain(email);
  });

  test('has called every method that is served', () => {
    const methods = Object.getOwnPropertyNames(AccountsGraphQLClient.prototype);
    const other = ['constructor', 'mutate', 'query', ...LATER_METHODS];
    const served = methods.filter((name) => !other.includes(name)).sort();
    expect([...called].filter((name) => !other.includes(name)).sort()).toEqual(served);
  });
});

describe('with AUTOLOGIN', () => {
  let open: Program;
  beforeAll(async () => {
    open = await startProgram({ AUTOLOGIN: '1', AMBIGUOUS_ERRORS: '0' });
  });
  afterAll(() => open.stop());

  test.each(TRANSPORTS)('a sign-up over $name logs in', async ({ transport }) => {
    const { client, password } = createFrontEnd(transport(open.url));
    const email = newEmail();
    const { userId, loginResult } = await password.createUser({ email, password: PASSWORD });
    expect(loginResult).toMatchObject({ user: { id: userId } });
    expect(await client.getUser()).toMatchObject({ id: userId, emails: [{ address: email }] });
    expect(await codeOf(password.createUser({ email, password: PASSWORD }))).toBe('EMAIL_TAKEN');
  });
});

describe('with STATELESS', () => {
  let stateless: Program;
  beforeAll(async () => {
    stateless = await startProgram({ STATELESS: '1' });
  });
  afterAll(() => stateless.stop());

  test.each(TRANSPORTS)('the session goes on and ends over $name', async ({ transport }) => {
    const { client, password } = createFrontEnd(transport(stateless.url));
    const email = newEmail();
    await password.createUser({ email, password: PASSWORD });
    await password.login({ user: { email }, password: PASSWORD });
    expect(await client.getUser()).toMatchObject({ emails: [{ address: email }] });
    const tokens = await client.refreshSession(true);
    expect(await client.getUser()).toMatchObject({ emails: [{ address: email }] });
    await client.logout();
    expect(await client.getTokens()).toBeNull();
    if (tokens) await client.setTokens(tokens);
    expect(await codeOf(client.refreshSession(true))).toBe('UNAUTHENTICATED');
  });
});

describe('at a gateway that allows impersonation', () => {
  const { server, signUp } = createAccounts({ now: Date.now, impersonationAuthorize: () => true });
  const yoga = createYoga({
    schema: makeExecutableSchema(accountsModule(server)),
    plugins: [useAccounts(server)],
    logging: false,
  });
  const host = createServer(yoga);
  let url: string;
  beforeAll(async () => {
    host.listen(0, '127.0.0.1');
    await once(host, 'listening');
    const { port } = host.address() as AddressInfo;
    url = `http://127.0.0.1:${port}/graphql`;
  });
  afterAll(() => host.close());

  test.each(TRANSPORTS)('somebody is impersonated and left again over $name', async ({ transport }) => {
    const [admin, user] = [newEmail(), newEmail()];
    await signUp({ email: admin });
    await signUp({ email: user });
    const { client, password } = createFrontEnd(transport(url));
    await password.login({ user: { email: admin }, password: PASSWORD });
    expect(await client.impersonate({ email: user })).toMatchObject({ authorized: true });
    expect(await client.getUser()).toMatchObject({ emails: [{ address: user }] });
    expect(await client.refreshSession(true)).not.toBeNull();
    expect(await codeOf(password.changePassword(PASSWORD, NEW_PASSWORD))).toBe('FORBIDDEN');
    await client.stopImpersonation();
    expect(await client.getUser()).toMatchObject({ emails: [{ address: admin }] });
  });
});

describe('the operations of @accounts/graphql-client', () => {
  const schema = makeExecutableSchema(accountsModule(createAccounts().server));
  const documents = Object.entries(operations).filter(
    (entry): entry is [string, DocumentNode] => entry[0].endsWith('Document') && isDocument(entry[1]),
  );

  test('are all known here', () => {
    expect(documents.map(([name]) => name)).toEqual(expect.arrayContaining(LATER_DOCUMENTS));
    expect(documents).toHaveLength(17);
  });

  test.each(documents.filter(([name]) => !LATER_DOCUMENTS.includes(name)))('%s fits', (_, document) => {
    expect(validate(schema, parse(print(document)))).toEqual([]);
  });
});

function createFrontEnd(transport: AccountsGraphQLClient) {
  const stored = new Map<string, string>();
  const client = new AccountsClient(
    {
      tokenStorage: {
        getItem: (key) => stored.get(key) ?? null,
        setItem: (key, value) => void stored.set(key, value),
        removeItem: (key) => void stored.delete(key),
      },
    },
    transport,
  );
  return { client, password: new AccountsClientPassword(client) };
}

/** The least that the transport wants of a GraphQL client. */
function overFetch(...[url, options]: Parameters<Transport>): AccountsGraphQLClient {
  interface Request {
    mutation?: DocumentNode;
    query?: DocumentNode;
    variables?: object;
    context: { headers: Record<string, string> };
  }
  const send = async ({ mutation, query, variables, context }: Request): Promise<unknown> => {
    const document = mutation ?? query;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...context.headers },
      body: JSON.stringify({ query: document && print(document), variables }),
    });
    return response.json();
  };
  return new AccountsGraphQLClient({ graphQLClient: { mutate: send, query: send }, ...options });
}

function overApollo(errorPolicy: 'none' | 'all'): Transport {
  return (uri, options) => {
    const graphQLClient = new ApolloClient({
      link: accountsLink(() => transport.client).concat(new HttpLink({ uri, fetch })),
      cache: new InMemoryCache(),
      defaultOptions: { query: { errorPolicy }, mutate: { errorPolicy } },
    });
    const transport = new AccountsGraphQLClient({ graphQLClient, ...options });
    return transport;
  };
}

/** Notes which methods of the transport are called. */
function recorded(transport: AccountsGraphQLClient, called: Set<string>): AccountsGraphQLClient {
  return new Proxy(transport, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value === 'function') called.add(String(name));
      return value;
    },
  });
}

/** Only for the clients, which look at the clock of this process; the server has its own. */
function letPass(duration: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + duration });
}

let people = 0;
function newEmail(): string {
  return `ada${++people}@example.com`;
}

/** What of a GraphQL error every client hands on. */
interface Refusal {
  message: string;
  path?: readonly (string | number)[] | undefined;
  extensions?: object | undefined;
}

/** The first GraphQL error in whatever the clients throw. */
async function refusalOf(call: Promise<unknown>): Promise<Refusal | null> {
  try {
    await call;
    return null;
  } catch (error) {
    const [first] = errorsIn(error);
    if (!first) throw error;
    const { message, path, extensions } = first;
    return { message, path, extensions: { ...extensions } };
  }
}

/** Their GraphQLErrorList is compiled to ES5, so that `instanceof` does not know it. */
function errorsIn(error: unknown): readonly Refusal[] {
  if (error instanceof ApolloError) return error.graphQLErrors;
  const isList = error instanceof Error && error.message.startsWith('GraphQLErrorList');
  return isList ? (error as GraphQLErrorList).errors : [];
}

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  const refusal = await refusalOf(call);
  if (!refusal) return 'not refused';
  return Reflect.get(refusal.extensions ?? {}, 'code');
}

function isDocument(value: unknown): value is DocumentNode {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Document';
}
