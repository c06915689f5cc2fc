import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionResult } from 'graphql';
import { createClient } from 'graphql-sse';
import { createHandler as createFetchHandler } from 'graphql-sse/lib/use/fetch';
import { createHandler } from 'graphql-sse/lib/use/http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { graphqlSseAccounts } from '../../../src/graphql/hosts/graphql-sse.ts';
import type { AccountsServerOptions } from '../../../src/index.ts';
import { PASSWORD } from '../../accounts.ts';
import { createFeed, eventually, freezeIntervals, INTERVALS, intervals } from './feed.ts';

const closing: (() => unknown)[] = [];
beforeEach(freezeIntervals);
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closing.splice(0).reverse()) await close();
});

const codesOf = (result: ExecutionResult | undefined) =>
  result?.errors?.map(({ extensions }) => extensions.code);

async function start(options: Partial<AccountsServerOptions> = {}) {
  const feed = await createFeed(options);
  const handler = createHandler(
    graphqlSseAccounts(
      feed.server,
      { schema: feed.schema, context: () => ({ loaders: 'mine', userId: 'nobody' }) },
      { cookie: true },
    ),
  );
  const http: Server = createServer((req, res) => void handler(req, res));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => http.close(resolve)));
  closing.push(() => http.closeAllConnections());
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql/stream`;
  const connect = (token: string | null, singleConnection: boolean) => {
    const client = createClient({
      url,
      singleConnection,
      retryAttempts: 0,
      headers: () => (token === null ? {} : { authorization: `Bearer ${token}` }),
    });
    closing.push(() => client.dispose());
    return (query: string) => {
      const stream = { results: [] as ExecutionResult[], ended: null as 'complete' | 'error' | null };
      const leave = client.subscribe(
        { query },
        {
          next: (result) => void stream.results.push(result as ExecutionResult),
          complete: () => {
            stream.ended = 'complete';
          },
          error: () => {
            stream.ended = 'error';
          },
        },
      );
      return Object.assign(stream, { leave });
    };
  };
  return { ...feed, url, connect };
}

describe.each([
  { mode: 'one connection for each', single: false },
  { mode: 'one connection for all', single: true },
])('S52 over graphql-sse, $mode', ({ single }) => {
  test('streams end with their session: an error alone, complete', async () => {
    const { connect, tokens, mine, everybodys, server } = await start();
    const subscribe = connect(tokens.accessToken, single);
    const streams = ['mine', 'everybodys', 'hanging'].map((field) => subscribe(`subscription { ${field} }`));
    await eventually(() => mine.started === 1 && everybodys.started === 1);
    mine.send(1);
    await eventually(() => streams[0]?.results.length === 1);
    await intervals(INTERVALS);
    await server.logout(tokens.accessToken);
    await intervals(1);
    await eventually(() => streams.every(({ ended }) => ended === 'complete'));
    for (const { results } of streams) {
      expect(codesOf(results.at(-1))).toEqual(['UNAUTHENTICATED']);
      expect(results.at(-1)).not.toHaveProperty('data');
    }
    expect([mine.returned, everybodys.returned]).toEqual([1, 1]);
  });

  test('S51 a stranger is refused before the source starts', async () => {
    const { connect, mine, server } = await start();
    const watch = vi.spyOn(server, 'watchSession');
    for (const token of [null, 'no token']) {
      const stream = connect(token, single)('subscription { mine }');
      await eventually(() => stream.ended !== null);
      expect(codesOf(stream.results[0])).toEqual(['UNAUTHENTICATED']);
    }
    expect(mine.started).toBe(0);
    expect(watch).not.toHaveBeenCalled();
  });

  test('each operation finds who asks, whatever else is in the context', async () => {
    const { connect, tokens, userId } = await start();
    const stream = connect(tokens.accessToken, single)('{ whoAmI ip }');
    await eventually(() => stream.ended !== null);
    expect(stream.results).toEqual([{ data: { whoAmI: userId, ip: '127.0.0.1' } }]);
  });

  test('a stream is watched once, and no longer than its reader listens', async () => {
    const { connect, tokens, mine, server } = await start();
    const watch = vi.spyOn(server, 'watchSession');
    const before = vi.getTimerCount();
    const stream = connect(tokens.accessToken, single)('subscription { mine }');
    await eventually(() => mine.started === 1 && watch.mock.calls.length > 0);
    expect(watch).toHaveBeenCalledTimes(1);
    stream.leave();
    await eventually(() => mine.returned === 1);
    await eventually(() => vi.getTimerCount() === before);
  });
});

test('a login over graphql-sse keeps its token in the cookie too', async () => {
  const { url } = await start();
  const query = `mutation { authenticate(serviceName: "password", params: { user: { username: "ada" }, password: "${PASSWORD}" }) { sessionId } }`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', 'x-accounts-csrf': '1' },
    body: JSON.stringify({ query }),
  });
  expect(await response.text()).toContain('"sessionId"');
  expect(response.headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-accounts=ey/)]);
});

test('S52 over graphql-sse as a fetch handler, a stream ends with its session', async () => {
  const { server, schema, tokens } = await createFeed();
  const handler = createFetchHandler(graphqlSseAccounts(server, { schema }));
  const url = 'http://localhost/graphql/stream?query=subscription{hanging}';
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${tokens.accessToken}` };
  const response = await handler(new Request(url, { headers }));
  await server.logout(tokens.accessToken);
  await intervals(1);
  expect(await response.text()).toMatch(/event: next\ndata: .*"UNAUTHENTICATED".*\n\nevent: complete/s);
});
