import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Report } from '../../core/events.ts';
import { ERROR_MESSAGES } from '../../errors.ts';
import type { AccessLog } from './access-log.ts';
import { type Handler, pathOf, respond } from './respond.ts';

export interface Routes {
  graphql: Handler;
  health: Handler;
  /** False for a path that is none of its own. */
  pages(req: IncomingMessage, res: ServerResponse): Promise<void> | false;
  /** Null: requests are not logged. */
  accessLog: AccessLog | null;
  report: Report;
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

/** Hands each request to whom it belongs, and survives whatever becomes of it. */
export function createRouter({ graphql, health, pages, accessLog, report }: Routes): Handler {
  const route: Handler = (req, res) => {
    switch (pathOf(req)) {
      case '/graphql':
        return graphql(req, res);
      case '/health':
        return health(req, res);
      default:
        return pages(req, res) || respond(req, res, 404, TEXT, 'Not found. GraphQL is at /graphql.\n');
    }
  };
  return async (req, res) => {
    accessLog?.watch(req, res);
    try {
      await route(req, res);
    } catch (error) {
      report(error, 'a request');
      if (res.headersSent) return void res.destroy();
      const code = 'INTERNAL_SERVER_ERROR';
      const body = JSON.stringify({ errors: [{ message: ERROR_MESSAGES[code], extensions: { code } }] });
      respond(req, res, 500, { 'content-type': 'application/json; charset=utf-8' }, body);
    }
  };
}

/** Answers while the port is taken already and the database is not open yet. */
export const starting: Handler = (req, res) =>
  respond(req, res, 503, { ...TEXT, 'retry-after': '1' }, 'Starting.\n');
