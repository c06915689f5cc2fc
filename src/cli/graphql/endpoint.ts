import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessLog } from '../http/access-log.ts';
import { answerEarly } from '../http/body.ts';
import { type Cors, createCors } from '../http/cors.ts';
import { errorBody } from '../http/error-body.ts';
import { type Handler, respond } from '../http/respond.ts';
import type { GraphiqlPage } from './graphiql.ts';
import { operationLog } from './log-operations.ts';
import { JSON_RESPONSE, mediaTypeFor, statusOf } from './media-types.ts';
import { createOperations, type OperationsOptions } from './operations.ts';
import { type RefusedRequest, readParams } from './params.ts';

interface EndpointOptions extends Omit<OperationsOptions, 'onExecute'> {
  /** Origins whose pages may send cookies. */
  trustedOrigins: readonly string[];
  graphiql: GraphiqlPage | null;
  /** Null: requests are not logged. */
  accessLog: AccessLog | null;
}

/** Whatever GraphQL answers may be about an account, or carry its tokens: no cache keeps it. */
const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

const NOT_ACCEPTABLE: RefusedRequest = {
  status: 406,
  code: 'BAD_REQUEST',
  message: 'The answer is application/json or application/graphql-response+json.',
};

/** GraphQL over HTTP, within bounds. */
export function graphqlEndpoint(options: EndpointOptions): Handler {
  const cors = createCors(options.trustedOrigins);
  const log = options.accessLog && operationLog(options.accessLog);
  const execute = createOperations({ ...options, onExecute: log?.onExecute });

  return async (req, res) => {
    if (req.method === 'OPTIONS') return respond(req, res, 204, cors.preflight(req));
    if (options.graphiql && wantsPage(req)) return options.graphiql(req, res);
    const params = await readParams(req, res);
    if (params === 'gone') return;
    if ('status' in params) return refuse(req, res, cors, params);
    // Before it is executed: whoever cannot read the answer of a mutation might send it again.
    const mediaType = mediaTypeFor(req.headers.accept);
    if (!mediaType) return refuse(req, res, cors, NOT_ACCEPTABLE);
    const outcome = await execute(params, { req, res });
    if (res.destroyed) return;
    log?.onResult(req, outcome.result);
    const headers = {
      'content-type': mediaType.contentType,
      ...(outcome.refused === 'method' && { allow: 'POST' }),
      ...cors.headers(req),
      ...HEADERS,
    };
    const body = mediaType.write(JSON.stringify(outcome.result));
    respond(req, res, statusOf(outcome.refused, mediaType), headers, body);
  };
}

function wantsPage({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept?.includes('text/html') ?? false);
}

/** Refuses a request that has not reached GraphQL, with an answer of the same shape. */
function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  cors: Cors,
  { status, code, message, headers }: RefusedRequest,
): void {
  const body = errorBody(code, message);
  const { contentType } = mediaTypeFor(req.headers.accept, 'json') ?? JSON_RESPONSE;
  const all = { ...cors.headers(req), ...HEADERS, 'content-type': contentType, ...headers };
  if (req.complete) respond(req, res, status, all, body);
  else answerEarly(req, res, status, all, body);
}
