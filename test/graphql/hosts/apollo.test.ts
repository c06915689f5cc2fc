import { expect, test } from 'vitest';
import { apolloContext, apolloPlugin } from '../../../src/graphql/hosts/apollo.ts';
import { createDiary, FROM_PAGE, LOG_IN, serve } from './host.ts';

test('S50 what answers carry is set on the response, and a batch is of one user', async () => {
  const { server, schema, signUp, logIn } = createDiary();
  const id = await signUp({ email: 'ada@example.com' });
  const { tokens } = await logIn('ada@example.com');
  const contextOf = apolloContext(server, { cookie: true });
  const ask = await serve(schema, (req, res) => contextOf({ req, res }));
  const { headers, results } = await ask(['{ diary }', LOG_IN(), LOG_IN('not the password')], {
    ...FROM_PAGE,
    authorization: `Bearer ${tokens.accessToken}`,
  });
  expect(results.map(({ errors }) => errors?.[0]?.extensions?.code ?? null)).toEqual([
    null,
    null,
    'INVALID_CREDENTIALS',
  ]);
  expect(results[0]?.data).toEqual({ diary: `Diary of ${id}` });
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-accounts=ey/)]);
  const limited = await ask(Array.from({ length: 11 }, () => LOG_IN('not the password')));
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('S50 a cache hint of Apollo does not let an answer with tokens into caches', async () => {
  const { server, schema, signUp } = createDiary();
  await signUp({ email: 'ada@example.com' });
  const contextOf = apolloContext(server);
  const { willSendResponse } = await apolloPlugin(server).requestDidStart();
  const ask = await serve(schema, async (req, res) => {
    const contextValue = await contextOf({ req, res });
    // As Apollo does: its own headers come last.
    const end = res.end.bind(res);
    res.end = ((text: string) => {
      const headers = new Map([['cache-control', 'max-age=60, public']]);
      void willSendResponse({ contextValue, response: { http: { headers } } });
      for (const [name, value] of headers) res.setHeader(name, value);
      return end(text);
    }) as typeof res.end;
    return contextValue;
  });
  expect((await ask([LOG_IN()])).headers.get('cache-control')).toBe('no-store');
  expect((await ask(['{ __typename }'])).headers.get('cache-control')).toBe('max-age=60, public');
});

test('answers go out without a response in the context', async () => {
  const { willSendResponse } = await apolloPlugin(createDiary().server).requestDidStart();
  const headers = new Map();
  await willSendResponse({ contextValue: {}, response: { http: { headers } } });
  await willSendResponse({ contextValue: { res: {} }, response: { http: { headers } } });
  expect(headers.size).toBe(0);
});

test('S51 the plugin refuses a schema on which the directive was forgotten, also under another name', async () => {
  const { server, schema, unguarded } = createDiary();
  await expect(apolloPlugin(server).serverWillStart({ schema })).resolves.toBeUndefined();
  await expect(apolloPlugin(server).serverWillStart({ schema: unguarded })).rejects.toThrow(
    /not applied to Query.diary/,
  );
  await expect(
    apolloPlugin(server, { directiveName: 'mine' }).serverWillStart({ schema: unguarded }),
  ).rejects.toThrow(TypeError);
  expect(() => apolloPlugin(server, { directiveName: '@auth' })).toThrow(TypeError);
  expect(() => apolloPlugin(undefined as never)).toThrow(/apolloPlugin needs the AccountsServer/);
  expect(() => apolloPlugin(server, { directive: 'mine' } as never)).toThrow('there is no option directive');
  await expect(apolloPlugin(createDiary().server).serverWillStart({ schema })).rejects.toThrow(
    /is of another AccountsServer/,
  );
  expect(() => apolloContext(undefined as never)).toThrow(/apolloContext needs the AccountsServer/);
});
