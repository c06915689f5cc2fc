import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Report } from '../../core/report.ts';
import type { AccessLog } from './access-log.ts';
import { errorBody, JSON_TYPE } from './error-body.ts';
import { type Handler, respond } from './respond.ts';
import { pathOf } from './url.ts';

interface Routes {
  graphql: Handler;
  health: Handler;
  /** Returns false, with nothing answered, for a path that leads to no page. */
  pages(req: IncomingMessage, res: ServerResponse): Promise<void> | false;
  /** Null: requests are not logged. */
  accessLog: AccessLog | null;
  report: Report;
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

/** Hands each request to the handler of its path. What a handler throws is reported, and answered with 500. */
export function createRouter({ graphql, health, pages, accessLog, report }: Routes): Handler {
  const route: Handler = (req, res) => {
    switch (pathOf(req.url)) {
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
      respond(req, res, 500, { 'content-type': JSON_TYPE }, errorBody('INTERNAL_SERVER_ERROR'));
    }
  };
}

/** Answers every request while the port is taken already and the database is not open yet. */
export const starting: Handler = (req, res) =>
  respond(req, res, 503, { ...TEXT, 'retry-after': '1' }, 'Starting.\n');
