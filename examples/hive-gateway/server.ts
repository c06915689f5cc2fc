// Hive Gateway before a subgraph of accounts and others that ask who is there.
import { createServer } from 'node:http';
import { createGatewayRuntime, getGraphQLWSOptions } from '@graphql-hive/gateway-runtime';
import { normalizeNodeRequest } from '@whatwg-node/server';
import { useAccounts } from 'graphql-accounts';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { accountsServer, type Context, startSubgraphs } from './subgraphs.ts';

const gateway = createGatewayRuntime<Context>({
  supergraph: await startSubgraphs(),
  deferStream: true,
  plugins: () => [useAccounts(accountsServer)],
  propagateHeaders: {
    deduplicateHeaders: true,
    fromClientToSubgraphs: ({ request: { headers }, context: { authToken, connection } }) => ({
      ...(authToken && { authorization: `Bearer ${authToken}` }),
      ...(connection?.ip && { 'x-forwarded-for': connection.ip }),
      'user-agent': headers.get('user-agent'),
      origin: headers.get('origin'),
      cookie: headers.get('cookie'),
      'x-accounts-csrf': headers.get('x-accounts-csrf'),
    }),
    fromSubgraphsToClient: ({ response: { headers } }) => ({
      ...(headers.get('cache-control') === 'no-store' && { 'cache-control': 'no-store' }),
      'retry-after': headers.get('retry-after'),
      'set-cookie': headers.getSetCookie(),
    }),
  },
});

// Requests wait for the schema, and sockets do not.
await gateway.getSchema();
const server = createServer(gateway);
useServer(
  getGraphQLWSOptions(gateway, ({ extra }: { extra: Extra }) => ({
    extra,
    request: normalizeNodeRequest(extra.request, gateway.fetchAPI),
  })),
  new WebSocketServer({ server, path: '/graphql' }),
);
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening at http://127.0.0.1:${port}/graphql`);
});
// The gateway hears these as well, after which Node does not end by itself.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit());
