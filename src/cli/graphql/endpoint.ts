import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { Report } from '../../core/report.ts';
import type { AccessLog } from '../http/access-log.ts';
import { answerEarly } from '../http/body.ts';
import { type Cors, createCors } from '../http/cors.ts';
import { errorBody } from '../http/error-body.ts';
import { type Handler, respond } from '../http/respond.ts';
import { useDocuments } from './documents.ts';
import type { GraphiqlPage } from './graphiql.ts';
import { useOperationLog } from './log-operations.ts';
import type { EndpointPlugin, NodeContext } from './node-context.ts';
import { type GraphQLParams, type RefusedRequest, readParams } from './params.ts';
import { usePublicErrors } from './public-errors.ts';

interface EndpointOptions {
  schema: GraphQLSchema;
  /** The plugins that make the context. */
  plugins: EndpointPlugin[];
  introspection: boolean;
  /** Origins whose pages may send cookies. */
  trustedOrigins: readonly string[];
  graphiql: GraphiqlPage | null;
  /** Null: requests are not logged. */
  accessLog: AccessLog | null;
  report: Report;
}

/** Whatever GraphQL answers may be about an account, or carry its tokens: no cache keeps it. */
const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

const NOT_ACCEPTABLE: RefusedRequest = {
  status: 406,
  code: 'BAD_REQUEST',
  message: 'The answer is application/json or application/graphql-response+json.',
};

/** GraphQL over HTTP, within bounds. Yoga executes; requests are read here, where they cost less and can be cut off. */
export function graphqlEndpoint(options: EndpointOptions): Handler {
  const cors = createCors(options.trustedOrigins);
  const requests = new WeakMap<IncomingMessage, GraphQLParams>();
  const reader: EndpointPlugin = {
    onRequestParse: ({ serverContext, setRequestParser }) => setRequestParser(() => paramsOf(serverContext)),
  };
  const yoga = createYoga<NodeContext>({
    schema: options.schema,
    graphqlEndpoint: '/graphql',
    plugins: [
      reader,
      useDocuments({ introspection: options.introspection }),
      ...options.plugins,
      usePublicErrors(options.report),
      ...(options.accessLog ? [useOperationLog(options.accessLog)] : []),
    ],
    // What it would do with requests and answers is done by this file and by the plugins.
    batching: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
    maskedErrors: false,
    maxRequestBodySize: false,
    multipart: false,
    parserAndValidationCache: false,
  });

  function paramsOf({ req }: NodeContext): GraphQLParams {
    const params = requests.get(req);
    if (!params) throw new Error('the request was not read');
    return params;
  }

  return async (req, res) => {
    if (req.method === 'OPTIONS') return respond(req, res, 204, cors.preflight(req));
    if (options.graphiql && wantsPage(req)) return options.graphiql(req, res);
    const params = await readParams(req, res);
    if (params === 'gone') return;
    if ('status' in params) return refuse(req, res, cors, params);
    requests.set(req, params);
    // Yoga makes an address of the two and parses it: with a Host that somebody made up it may be none. Nothing else
    // reads them, and links never come from them (S30).
    req.url = '/graphql';
    req.headers.host = 'localhost';
    const response = await yoga.handleNodeRequestAndResponse(req, res, { req, res });
    const body = await response.text();
    if (res.destroyed) return;
    if (response.status === 406) return refuse(req, res, cors, NOT_ACCEPTABLE);
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of response.headers) headers[name.toLowerCase()] = value;
    const cookies = response.headers.getSetCookie();
    if (cookies.length > 0) headers['set-cookie'] = cookies;
    respond(req, res, response.status, { ...headers, ...cors.headers(req), ...HEADERS }, body);
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
  const all = {
    ...cors.headers(req),
    ...HEADERS,
    'content-type': `${mediaTypeFor(req)}; charset=utf-8`,
    ...headers,
  };
  if (req.complete) respond(req, res, status, all, body);
  else answerEarly(req, res, status, all, body);
}

/** Chooses as Yoga does: the type that the client names first, and `application/json` where it names neither. */
function mediaTypeFor({ headers }: IncomingMessage): string {
  const [named] = /application\/(graphql-response\+)?json/.exec(headers.accept?.toLowerCase() ?? '') ?? [];
  return named ?? 'application/json';
}
