import type { Load, Server } from '../children.ts';
import { graphqlRequest, refreshMutation, request, type Tokens, TYPENAME } from '../requests.ts';
import type { Ours } from '../world.ts';
import {
  asks,
  asksForUser,
  checked,
  LOGINS_IN_FLIGHT,
  type Measurement,
  type Order,
  type Size,
} from './measurement.ts';

/** After 12,000 requests a server of Node costs about half of what its first 4,000 did, and hardly less from then on. */
const WARM_UPS = 4;
/** Of a turn, not counted: after a pause the first thousand requests cost up to twice as much as those that follow. */
const LEAD = 0.25;

/** Requests of one server after the other, in processor time of its process. */
export function requestMeasures(load: Load, size: Size) {
  const costs = (
    id: string,
    name: string,
    server: Server,
    orderOf: (share: number) => Order | Promise<Order>,
  ): Measurement => ({
    figures: { [id]: name },
    warmUps: WARM_UPS,
    async measure() {
      const [lead, order] = [await orderOf(LEAD), await orderOf(1)];
      checked(name, await load.run({ ...lead, ports: [server.port] }));
      await server.cpu();
      const { requests, seconds } = checked(name, await load.run({ ...order, ports: [server.port] }));
      return { [id]: { cpu: (await server.cpu()) / requests, rate: requests / seconds } };
    },
  });

  return {
    anonymous: (id: string, name: string, server: Server): Measurement =>
      costs(id, `${name}, anonymous`, server, (share) =>
        asks(share * size.requests, [graphqlRequest(TYPENAME)], '{"data":{"__typename":"Query"}}'),
      ),

    getUser: (
      id: string,
      name: string,
      { server, tokens }: { server: Server; tokens: readonly Tokens[] },
    ): Measurement => costs(id, name, server, (share) => asksForUser(share * size.requests, tokens)),

    /** Of somebody who is logged in, and who is not asked about. */
    withToken: (id: string, name: string, { server, tokens }: Ours): Measurement => {
      const messages = tokens.map(({ accessToken }) => graphqlRequest(TYPENAME, accessToken));
      return costs(id, name, server, (share) => asks(share * size.requests, messages, '"Query"'));
    },

    getSession: (
      id: string,
      name: string,
      { server, cookies }: { server: Server; cookies: readonly string[] },
    ): Measurement => {
      const messages = cookies.map((cookie) => request('GET', '/api/auth/get-session', { cookie }));
      return costs(id, name, server, (share) => asks((share * size.requests) / 2, messages, '"user":{'));
    },

    refresh: (
      id: string,
      name: string,
      server: Server,
      logIn: (count: number) => Promise<Tokens[]>,
    ): Measurement =>
      costs(id, name, server, async (share) => {
        const count = Math.ceil(share * size.refreshes);
        // Each of a session of its own that was never refreshed: nothing but rotation and its write answers it.
        const messages = (await logIn(count)).map((tokens) => graphqlRequest(refreshMutation(tokens)));
        return asks(count, messages, '"sessionId":"');
      }),

    login: (id: string, name: string, server: Server, { requests = 0, ...order }: Order): Measurement => ({
      ...costs(id, name, server, (share) => ({
        ...{ ...order, connections: LOGINS_IN_FLIGHT },
        requests: Math.ceil(share * requests),
      })),
      warmUps: 1,
    }),
  };
}

/** The same, with the calls counted that reach the store of the server. */
export function counted(
  id: string,
  { measure, ...measurement }: Measurement,
  server: Server,
  { requests }: Size,
): Measurement {
  return {
    ...measurement,
    async measure(round) {
      await server.ask('calls');
      const found = await measure(round);
      const all = (1 + LEAD) * requests;
      return { [id]: { ...found[id], queries: (await server.ask<number>('calls')) / all } };
    },
  };
}
