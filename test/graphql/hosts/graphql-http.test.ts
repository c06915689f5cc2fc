import { graphql } from 'graphql';
import { expect, test } from 'vitest';
import { graphqlHttpContext } from '../../../src/graphql/hosts/graphql-http.ts';
import { createDiary, FROM_PAGE, LOG_IN, serve } from './host.ts';

const COOKIE = /^__Host-accounts=ey/;

test.each([
  ['Express and Node', (res: object) => ({ res })],
  ['Koa', (res: object) => ({ res: { res, set: () => expect.unreachable() } })],
])('S50 what answers carry is set on the response of %s', async (_, given) => {
  const { server, schema, signUp } = createDiary();
  await signUp({ email: 'ada@example.com' });
  const contextOf = graphqlHttpContext(server, { cookie: true });
  const ask = await serve(schema, (raw, res) => contextOf({ raw, context: given(res) }));
  const { headers, results } = await ask([LOG_IN()], FROM_PAGE);
  expect(results[0]?.errors).toBeUndefined();
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.getSetCookie()).toEqual([expect.stringMatching(COOKIE)]);
  const plain = await ask(['{ getUser { id } }']);
  expect(plain.headers.get('cache-control')).toBeNull();
  const wrong = Array.from({ length: 11 }, () => LOG_IN('not the password'));
  const limited = await ask(wrong);
  expect(limited.results.at(-1)?.errors?.[0]?.extensions?.code).toBe('RATE_LIMITED');
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('S50 what answers carry is set by the reply of Fastify, beside its own cookies', async () => {
  const { server, schema, signUp } = createDiary();
  await signUp({ email: 'ada@example.com' });
  const headers: [string, string][] = [];
  const reply = {
    sent: false,
    header: (name: string, value: string) => headers.push([name, value]),
    getHeader: () => undefined,
    raw: { setHeader: () => expect.unreachable() },
  };
  const raw = new Request('http://localhost/', { method: 'POST', headers: FROM_PAGE });
  const contextValue = await graphqlHttpContext(server, { cookie: true })({ raw, context: { reply } });
  await graphql({ schema, source: LOG_IN(), contextValue });
  expect(headers).toContainEqual(['cache-control', 'no-store']);
  expect(headers).toContainEqual(['set-cookie', expect.stringMatching(COOKIE)]);
});

test.each([undefined, {}, { res: { writeStatus: () => expect.unreachable() } }])(
  'an operation is done where nobody gives a response (%j)',
  async (context) => {
    const { server, schema, signUp } = createDiary();
    await signUp({ email: 'ada@example.com' });
    const raw = new Request('http://localhost/', { method: 'POST', headers: FROM_PAGE });
    const contextValue = await graphqlHttpContext(server, { cookie: true })({ raw, context });
    const { errors } = await graphql({ schema, source: LOG_IN(), contextValue });
    expect(errors).toBeUndefined();
    // Origin and cookies are read from it.
    expect(contextValue.req).toBe(raw);
  },
);

test('S51 a stranger is refused, and whoever asks twice in one batch is oneself twice', async () => {
  const { server, schema, signUp, logIn } = createDiary();
  const id = await signUp({ email: 'ada@example.com' });
  const { tokens } = await logIn('ada@example.com');
  const contextOf = graphqlHttpContext(server);
  const ask = await serve(schema, (raw, res) => contextOf({ raw, context: { res } }));
  const own = await ask(['{ diary }', '{ getUser { id } }'], {
    authorization: `Bearer ${tokens.accessToken}`,
  });
  expect(own.results).toEqual([{ data: { diary: `Diary of ${id}` } }, { data: { getUser: { id } } }]);
  const strange = await ask(['{ diary }', '{ refuse }']);
  expect(strange.results.map(({ errors }) => errors?.[0]?.extensions?.code)).toEqual([
    'UNAUTHENTICATED',
    'FORBIDDEN',
  ]);
});

test('misuse is told at the start', () => {
  const { server } = createDiary();
  expect(() => graphqlHttpContext(undefined as never)).toThrow(/graphqlHttpContext needs the AccountsServer/);
  expect(() => graphqlHttpContext(server, { header: 'x' } as never)).toThrow(TypeError);
});
