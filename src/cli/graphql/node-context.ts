import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plugin } from 'graphql-yoga';

/** What the endpoint puts into the context of every operation, for plugins and resolvers. */
export interface NodeContext {
  req: IncomingMessage;
  res: ServerResponse;
}

export type EndpointPlugin = Plugin<object, NodeContext>;
