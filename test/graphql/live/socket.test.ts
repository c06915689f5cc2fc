// Servers of graphql-ws whose packages are not here: what they hand over, by their types.
import { setImmediate as turn } from 'node:timers/promises';
import { makeServer } from 'graphql-ws';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { graphqlWsAccounts } from '../../../src/graphql/hosts/graphql-ws.ts';
import { forbid, withSocket } from '../../../src/graphql/live/socket.ts';
import { createFeed, eventually, freezeIntervals, intervals } from './feed.ts';

beforeEach(freezeIntervals);
afterEach(() => void vi.useRealTimers());

/** One socket of some server, as graphql-ws is told of it; `extra` is what that server adds. */
async function openSocket(extra: (authorization: string) => object) {
  const feed = await createFeed();
  const server = makeServer(graphqlWsAccounts(feed.server, { schema: feed.schema }));
  const sent: { type: string; payload?: unknown }[] = [];
  let receive: (data: string) => Promise<void> = async () => undefined;
  server.opened(
    {
      protocol: 'graphql-transport-ws',
      send: (data) => void sent.push(JSON.parse(data)),
      close: () => undefined,
      onMessage: (listener) => {
        receive = listener;
      },
    },
    extra(`Bearer ${feed.tokens.accessToken}`),
  );
  const say = (message: object) => void receive(JSON.stringify(message));
  say({ type: 'connection_init' });
  await eventually(() => sent.length === 1);
  say({ type: 'subscribe', id: '1', payload: { query: 'subscription { mine }' } });
  say({ type: 'subscribe', id: '2', payload: { query: 'subscription { everybodys }' } });
  await eventually(() => feed.mine.started === 1 && feed.everybodys.started === 1);
  await feed.server.logout(feed.tokens.accessToken);
  await intervals(1);
  return sent.map(({ type, payload }) => ({ type, payload }));
}

const LAST = { errors: [expect.objectContaining({ extensions: { code: 'UNAUTHENTICATED' } })] };
const TOLD = [
  { type: 'connection_ack', payload: undefined },
  { type: 'next', payload: LAST },
  { type: 'next', payload: LAST },
  { type: 'complete', payload: undefined },
  { type: 'complete', payload: undefined },
];

test('S52 uWebSockets.js: the token of the persisted request, closed by `end`, since its `close` takes no code', async () => {
  const socket = { end: vi.fn(), close: vi.fn() };
  const told = await openSocket((authorization) => ({
    socket,
    persistedRequest: { headers: { authorization } },
  }));
  expect(told).toEqual(TOLD);
  expect(socket.end.mock.calls).toEqual([[4403, 'Forbidden']]);
  expect(socket.close).not.toHaveBeenCalled();
});

test('S52 Bun, Deno, crossws: closed by `close`, also when it throws since it is closed already', async () => {
  const socket = {
    close: vi.fn(() => {
      throw new Error('closed');
    }),
  };
  const told = await openSocket((authorization) => ({
    socket,
    request: { headers: new Headers({ authorization }) },
  }));
  expect(told).toEqual(TOLD);
  expect(socket.close.mock.calls).toEqual([[4403, 'Forbidden']]);
});

test('S52 a server that hands no socket over: the streams end', async () => {
  const told = await openSocket((authorization) => ({ request: { headers: { authorization } } }));
  expect(told).toEqual(TOLD);
});

test('S52 a WebSocket beside the request is closed, and nothing else that an application calls so', async () => {
  const socket = { readyState: 1, close: vi.fn() };
  /** As that of Socket.IO, which all requests share. */
  const shared = { close: vi.fn() };
  for (const context of [{ socket }, { socket: shared }, { socket: null }, { extra: {}, socket: shared }])
    forbid(withSocket(context));
  await turn();
  expect(socket.close.mock.calls).toEqual([[4403, 'Forbidden']]);
  expect(shared.close).not.toHaveBeenCalled();
});
