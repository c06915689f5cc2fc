// What tsc says of this file is the test; the run only shows that the adapters keep what they are given.
import type { GraphQLSchema } from 'graphql';
import { createHandler as createRawHandler, type HandlerOptions } from 'graphql-sse';
import { createHandler as createFetchHandler } from 'graphql-sse/lib/use/fetch';
import { createHandler } from 'graphql-sse/lib/use/http';
import { makeServer, type ServerOptions } from 'graphql-ws';
import { makeHandler } from 'graphql-ws/use/bun';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { expect, expectTypeOf, test } from 'vitest';
import type { WebSocketServer } from 'ws';
import { graphqlSseAccounts } from '../../../src/graphql/hosts/graphql-sse.ts';
import { graphqlWsAccounts } from '../../../src/graphql/hosts/graphql-ws.ts';
import { createAccounts } from '../../accounts.ts';

const { server } = createAccounts();
const schema = {} as GraphQLSchema;

/** Compiled, not run. */
export function ofGraphqlWs(webSocketServer: WebSocketServer): void {
  useServer(graphqlWsAccounts(server, { schema }), webSocketServer);
  const options: ServerOptions<{ locale?: string }, Extra> = {
    schema,
    onConnect: () => true,
    context: (socket, id, payload) => ({
      url: socket.extra.request.url,
      locale: socket.connectionParams?.locale,
      id,
      query: payload.query,
    }),
  };
  useServer(graphqlWsAccounts(server, options, { trustedProxies: ['10.0.0.0/8'] }), webSocketServer);
  makeServer(graphqlWsAccounts(server, { schema }));
  makeHandler(graphqlWsAccounts(server, { schema }));
  // @ts-expect-error the options are still those of graphql-ws
  useServer(graphqlWsAccounts(server, { schema: 7 }), webSocketServer);
}

/** Compiled, not run. */
export function ofGraphqlSse(): void {
  createHandler(graphqlSseAccounts(server, { schema }));
  createFetchHandler(graphqlSseAccounts(server, { schema }));
  const options: HandlerOptions<unknown, unknown, { url: string }> = {
    schema,
    context: (request) => ({ url: request.url }),
  };
  createRawHandler(graphqlSseAccounts(server, options));
  createHandler(
    graphqlSseAccounts(server, {
      schema,
      onConnect: (request) => {
        expectTypeOf(request.raw.url).toEqualTypeOf<string | undefined>();
      },
    }),
  );
}

test('the options of a host keep what they are given', () => {
  const onConnect = (): boolean => true;
  expect(graphqlWsAccounts(server, { schema, onConnect })).toMatchObject({ schema, onConnect });
  expect(graphqlSseAccounts(server, { schema, onConnect })).toMatchObject({ schema, onConnect });
  expect(() => graphqlWsAccounts({} as never, {})).toThrow(TypeError);
  expect(() => graphqlSseAccounts({} as never, {})).toThrow(TypeError);
});
