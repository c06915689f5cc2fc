import type { IncomingMessage, ServerResponse } from 'node:http';

/** What the endpoint puts into the context of every operation. */
export interface NodeContext {
  req: IncomingMessage;
  res: ServerResponse;
}
