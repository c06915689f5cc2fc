import jwt from 'jsonwebtoken';
import { ask, LOG_IN, PASSWORD, SIGN_UP, tokensOf } from '../cli/child.ts';
import { readDeferred } from './deferred.ts';
import { openSse, openWebSocket, type Stream } from './streams.ts';

/** A running example. */
export interface Subject {
  /** Its copy, below what it needs. */
  folder: string;
  url: string;
  masks: boolean;
  secret: string;
}

interface Tokens {
  accessToken: string;
  refreshToken: string;
}

export interface Feature {
  /** As the matrix has it. */
  title: string;
  /** Rejects where the host does not do it. */
  run(subject: Subject): Promise<void>;
}

const DIARY = '{ diary }';
const ME = '{ getUser { emails { address } } }';
const REFRESH = `mutation ($accessToken: String!, $refreshToken: String!) {
  refreshTokens(accessToken: $accessToken, refreshToken: $refreshToken) { tokens { accessToken refreshToken } }
}`;
/** Text that the library must not tell, thrown in it by `broken.mjs`. */
const SECRET_TEXT = 'postgres://ada:secret@db';
/** S52. */
const REVOKED_WITHIN = 5_000;

export const FEATURES = {
  login: {
    title: 'sign up, log in, `getUser`',
    async run(subject) {
      const { email, accessToken } = await login(subject);
      const { data } = await ask(subject.url, ME, {}, bearer(accessToken));
      expectEqual(data, { getUser: { emails: [{ address: email }] } });
    },
  },
  protected: {
    title: '`@auth` on a field of its own',
    async run(subject) {
      const { url } = subject;
      const { accessToken, userId } = await login(subject);
      const read = (headers: object) => ask(url, DIARY, {}, headers);
      expectEqual((await read(bearer(accessToken))).data, { diary: [`Diary of ${userId}`] });
      expectRefusal(await read({}), 'UNAUTHENTICATED');
      expectRefusal(await read(bearer('not.a.token')), 'UNAUTHENTICATED');
      expectEqual((await ask(url, 'mutation { logout }', {}, bearer(accessToken))).data, { logout: true });
      expectRefusal(await read(bearer(accessToken)), 'UNAUTHENTICATED');
      expectEqual((await ask(url, ME, {}, bearer(accessToken))).data, { getUser: null });
    },
  },
  refresh: {
    title: 'refresh with an expired token',
    async run(subject) {
      const { url } = subject;
      const { accessToken, refreshToken } = await login(subject);
      const expired = expire(accessToken, subject.secret);
      expectRefusal(await ask(url, DIARY, {}, bearer(expired)), 'UNAUTHENTICATED');
      const answer = await ask(url, REFRESH, { accessToken: expired, refreshToken }, bearer(expired));
      const { tokens } = (answer.data?.refreshTokens ?? {}) as { tokens?: Tokens };
      if (!tokens) throw new Error(`no new tokens: ${show(answer)}`);
      expectEqual((await ask(url, DIARY, {}, bearer(tokens.accessToken))).errors, undefined);
    },
  },
  errors: {
    title: 'codes, and both maskings',
    async run(subject) {
      const { url } = subject;
      const { email, accessToken } = await login(subject);
      expectRefusal(await ask(url, LOG_IN, { user: { email }, password: 'not it' }), 'INVALID_CREDENTIALS');
      const ours = await ask(url, BROKEN, { accessToken });
      expectRefusal(ours, 'INTERNAL_SERVER_ERROR');
      if (JSON.stringify(ours).includes(SECRET_TEXT)) throw new Error('our masking is off');
      const own = await ask(url, '{ diary(page: -1) }', {}, bearer(accessToken));
      const told = own.errors?.[0]?.message.includes('no page -1') ?? false;
      if (!own.errors || told === subject.masks) throw new Error(`its masking has changed: ${show(own)}`);
      for (const accept of ['application/json', 'text/event-stream']) await sayNonsense(url, accept);
    },
  },
  noStore: {
    title: '`no-store`',
    async run(subject) {
      const { email } = await login(subject);
      const { headers } = await ask(subject.url, LOG_IN, { user: { email }, password: PASSWORD });
      expectEqual(headers.get('cache-control'), 'no-store');
    },
  },
  sse: { title: 'subscriptions: SSE', run: (subject) => endsWithSession(subject, openSse) },
  webSocket: {
    title: 'subscriptions: graphql-ws',
    run: (subject) => endsWithSession(subject, openWebSocket, 4403),
  },
  defer: {
    title: '`@defer`',
    async run(subject) {
      const { url } = subject;
      const { accessToken, userId } = await login(subject);
      const query = '{ __typename ... @defer { diary } }';
      const told = await readDeferred(url, query, bearer(accessToken));
      if (!told.includes(`Diary of ${userId}`)) throw new Error(`nothing came later: ${told}`);
      const refused = await readDeferred(url, query, {});
      if (!refused.includes('UNAUTHENTICATED') || refused.includes('Diary of'))
        throw new Error(`a deferred field is open: ${refused}`);
    },
  },
  entities: {
    title: '`@auth` in `_entities`',
    async run(subject) {
      const { accessToken } = await login(subject);
      const query = `{ _entities(representations: [{ __typename: "Book", id: "1" }]) { ... on Book { title notes } } }`;
      const own = await ask(subject.url, query, {}, bearer(accessToken));
      expectEqual(own.data, { _entities: [{ title: 'Book 1', notes: 'Notes on 1' }] });
      const strange = await ask(subject.url, query);
      expectRefusal(strange, 'UNAUTHENTICATED');
      if (show(strange).includes('Notes on')) throw new Error('an entity is open');
    },
  },
} satisfies { [name: string]: Feature };

export type FeatureName = keyof typeof FEATURES;

const BROKEN = `mutation ($accessToken: String!) {
  impersonate(accessToken: $accessToken, impersonated: { userId: "somebody" }) { authorized }
}`;

let logins = 0;

async function login({ url }: Pick<Subject, 'url'>): Promise<Tokens & { email: string; userId: string }> {
  const email = `ada-${++logins}-${process.pid}@example.com`;
  const signUp = await ask(url, SIGN_UP, { user: { email, password: PASSWORD } });
  if (signUp.errors) throw new Error(`no sign-up: ${show(signUp)}`);
  const tokens = tokensOf(await ask(url, LOG_IN, { user: { email }, password: PASSWORD }));
  const { sub: userId = '' } = jwt.decode(tokens.accessToken) as { sub?: string };
  return { ...tokens, email, userId };
}

/** What cannot be read is the fault of whoever asks: they are told so, and nobody else is stopped. */
async function sayNonsense(url: string, accept: string): Promise<void> {
  const headers = { accept, 'content-type': 'application/json' };
  for (const [query, told] of [
    ['{', 'Syntax Error'],
    ['{ nonsense }', 'Cannot query field'],
  ]) {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
    const text = await response.text();
    if (response.status >= 500 || !text.includes(told ?? ''))
      throw new Error(`${query} is answered ${response.status} ${text}`);
  }
}

/** Nothing starts for a stranger; a stream runs, and ends when its session does. */
async function endsWithSession(
  subject: Subject,
  open: (url: string, query: string, token: string | null) => Promise<Stream>,
  closeCode?: number,
): Promise<void> {
  const query = 'subscription { pages }';
  const strange = await open(subject.url, query, null);
  await strange.until('UNAUTHENTICATED');
  await strange.close();
  const { accessToken, userId } = await login(subject);
  const stream = await open(subject.url, query, accessToken);
  await stream.until(`Page of ${userId}`);
  const loggedOut = performance.now();
  await ask(subject.url, 'mutation { logout }', {}, bearer(accessToken));
  await stream.until('UNAUTHENTICATED');
  const ended = await stream.ended;
  const took = performance.now() - loggedOut;
  if (took > REVOKED_WITHIN + 1_000) throw new Error(`the stream lived on for ${took} ms`);
  if (closeCode !== undefined) expectEqual(ended, closeCode);
}

/** The same token as it is after its end, as the server would have made it. */
function expire(token: string, secret: string): string {
  const { header, payload } = jwt.decode(token, { complete: true }) as jwt.Jwt;
  const hours = 3600;
  const { iat = 0, exp = 0, ...claims } = payload as jwt.JwtPayload;
  return jwt.sign({ ...claims, iat: iat - hours, exp: exp - hours }, secret, {
    header: header as jwt.JwtHeader,
    algorithm: header.alg as jwt.Algorithm,
  });
}

function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

function expectRefusal(answer: { errors?: { extensions?: { code?: string } }[] }, code: string): void {
  if (answer.errors?.[0]?.extensions?.code !== code)
    throw new Error(`no ${code}: ${JSON.stringify(answer.errors ?? answer)}`);
}

function expectEqual(found: unknown, expected: unknown): void {
  if (show(found) !== show(expected)) throw new Error(`${show(found)} instead of ${show(expected)}`);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined';
}
