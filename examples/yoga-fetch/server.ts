// Serves the Fetch handler of app.ts on Node.
import { createServer, type IncomingMessage } from 'node:http';
import { createServerAdapter } from '@whatwg-node/server';
import app from './app.ts';

const adapter = createServerAdapter<{ req: IncomingMessage }>((request: Request, { req }) => {
  request.headers.set('x-client-address', req.socket.remoteAddress ?? '');
  return app.fetch(request);
});

const server = createServer(adapter);
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening at http://127.0.0.1:${port}/graphql`);
});
