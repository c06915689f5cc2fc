import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionResult } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createContext } from '../../../src/graphql/context.ts';
import { useAccounts } from '../../../src/graphql/use-accounts.ts';
import type { AccountsServerOptions } from '../../../src/index.ts';
import { createFeed, eventually, freezeIntervals, INTERVALS, intervals, Source } from './feed.ts';

const servers: Server[] = [];
beforeEach(freezeIntervals);
afterEach(async () => {
  vi.useRealTimers();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function start(options: Partial<AccountsServerOptions> = {}) {
  const feed = await createFeed(options);
  const yoga = createYoga({ schema: feed.schema, logging: false, plugins: [useAccounts(feed.server)] });
  const server = createServer(yoga);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const ask = (
    query: string,
    accept: string,
    token: string | null = feed.tokens.accessToken,
    signal?: AbortSignal,
  ) =>
    fetch(url, {
      method: 'POST',
      headers: {
        accept,
        'content-type': 'application/json',
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query }),
      ...(signal && { signal }),
    });
  return {
    ...feed,
    ask: async (query: string, token?: string) =>
      (await (await ask(query, 'application/json', token)).json()) as ExecutionResult,
    /** What has arrived of a stream so far, and whether that is all. */
    async open(query: string, token?: string | null) {
      const leaving = new AbortController();
      const response = await ask(query, 'text/event-stream', token, leaving.signal);
      const seen = { events: [] as ExecutionResult[], text: '', ended: false, leave: () => leaving.abort() };
      const read = async (): Promise<void> => {
        for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(
          new TextDecoderStream(),
        )) {
          seen.text += chunk;
          seen.events = [...seen.text.matchAll(/^event: next\ndata: (.*)$/gm)].map(([, json = '']) =>
            JSON.parse(json),
          );
        }
        seen.ended = true;
      };
      read().catch(() => undefined);
      return seen;
    },
  };
}

const codesOf = (result: ExecutionResult | undefined) =>
  result?.errors?.map(({ extensions }) => extensions.code);

describe('S52 over SSE of Yoga, a stream', () => {
  test.each(['mine', 'hanging', 'everybodys'])(
    'of %s ends with its session: an error alone, complete',
    async (field) => {
      const { open, mine, everybodys, server, tokens } = await start();
      const stream = await open(`subscription { ${field} }`);
      mine.send(1);
      everybodys.send(1);
      if (field !== 'hanging') await eventually(() => stream.events.length === 1);
      await server.logout(tokens.accessToken);
      await intervals(1);
      await eventually(() => stream.ended);
      expect(stream.events.at(-1)).toEqual({
        errors: [{ message: 'The session has ended.', extensions: { code: 'UNAUTHENTICATED' } }],
      });
      expect(stream.text).toMatch(/event: complete\ndata:\s*$/);
      if (field === 'mine') expect(mine.returned).toBe(1);
      if (field === 'everybodys') expect(everybodys.returned).toBe(1);
      expect(stream.events).toHaveLength(field === 'hanging' ? 1 : 2);
    },
  );

  test('ends with its user, with what has expired, with who impersonates', async () => {
    const day = 24 * 60 * 60 * 1000;
    for (const end of ['deactivated', 'expired', 'impersonated'] as const) {
      const one = await start({ impersonationAuthorize: () => true });
      const other = await one.signUp({ username: 'grace' });
      const { tokens } =
        end === 'impersonated'
          ? await one.server.impersonate(one.tokens.accessToken, { userId: other })
          : one;
      const stream = await one.open('subscription { mine }', tokens?.accessToken ?? '');
      await intervals(INTERVALS);
      expect(stream.ended).toBe(false);
      if (end === 'deactivated') await one.server.deactivateUser(one.userId);
      if (end === 'expired') one.clock.pass(7 * day);
      if (end === 'impersonated') await one.server.logout(one.tokens.accessToken);
      await intervals(1);
      await eventually(() => stream.ended);
      expect(codesOf(stream.events[0])).toEqual(['UNAUTHENTICATED']);
    }
  });

  test('S51 of a stranger is refused before its source starts', async () => {
    const { open, mine } = await start();
    for (const token of [null, 'no token']) {
      const stream = await open('subscription { mine }', token);
      await eventually(() => stream.ended);
      expect(codesOf(stream.events[0])).toEqual(['UNAUTHENTICATED']);
    }
    expect(mine.started).toBe(0);
  });

  test('of a stranger, whom nothing is kept from, goes on', async () => {
    const { open, everybodys, server } = await start();
    const watch = vi.spyOn(server, 'watchSession');
    for (const token of [null, 'no token']) {
      const stream = await open('subscription { everybodys }', token);
      await intervals(INTERVALS);
      everybodys.send(4);
      await eventually(() => stream.events.length > 0 || stream.ended);
      expect(stream.events).toEqual([{ data: { everybodys: 4 } }]);
      expect(stream.ended).toBe(false);
      stream.leave();
      await eventually(() => everybodys.returned > 0);
      everybodys.returned = 0;
    }
    expect(watch).not.toHaveBeenCalled();
  });

  test('is watched once', async () => {
    const { open, server } = await start();
    const watch = vi.spyOn(server, 'watchSession');
    const stream = await open('subscription { mine }');
    await eventually(() => watch.mock.calls.length > 0);
    expect(watch).toHaveBeenCalledTimes(1);
    stream.leave();
  });

  test('is watched no longer when its reader has gone', async () => {
    const { open, mine } = await start();
    const before = vi.getTimerCount();
    const stream = await open('subscription { mine }');
    // That of the watch, and Yoga's ping.
    expect(vi.getTimerCount()).toBe(before + 2);
    stream.leave();
    await eventually(() => mine.returned === 1);
    expect(vi.getTimerCount()).toBe(before);
  });

  test('S23 stateless ends with its token, unless a fresh one came by in the meantime', async () => {
    const minute = 60_000;
    const { open, ask, clock, tokens } = await start({ useStatelessSession: true });
    const stream = await open('subscription { mine }');
    clock.pass(10 * minute);
    const { data } = await ask(
      `mutation { refreshTokens(accessToken: "${tokens.accessToken}", refreshToken: "${tokens.refreshToken}") { tokens { accessToken } } }`,
    );
    expect(data).toMatchObject({ refreshTokens: { tokens: { accessToken: expect.any(String) } } });
    clock.pass(10 * minute);
    await intervals(1);
    expect(stream.ended).toBe(false);
    clock.pass(5 * minute);
    await intervals(1);
    await eventually(() => stream.ended);
    expect(codesOf(stream.events[0])).toEqual(['UNAUTHENTICATED']);
  });
});

test('S52 the parts of a `@defer` or `@stream` end with the session, and say that no more will come', async () => {
  const { server, schema, tokens } = await createFeed();
  const contextValue = await createContext(server)(
    new Request('http://localhost', { headers: { authorization: `Bearer ${tokens.accessToken}` } }),
  );
  const { onExecuteDone } = useAccounts(server).onExecute({
    args: { schema, contextValue },
    setResultAndStopExecution: () => undefined,
  });
  const source = new Source<object>();
  let results: unknown = null;
  onExecuteDone({
    args: { contextValue },
    result: source,
    setResult: (live) => {
      results = live;
    },
  });
  const parts = results as AsyncGenerator<ExecutionResult>;
  source.send({ data: { hello: 'world' }, hasNext: true });
  expect((await parts.next()).value).toEqual({ data: { hello: 'world' }, hasNext: true });
  await server.logout(tokens.accessToken);
  await intervals(1);
  const { value } = await parts.next();
  expect(value).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }], hasNext: false });
  expect(value).not.toHaveProperty('data');
  expect(await parts.next()).toEqual({ done: true, value: undefined });
  expect(source.returned).toBe(1);
});
