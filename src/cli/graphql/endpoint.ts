import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Report } from '../../core/events.ts';
import type { AccessLog } from '../http/access-log.ts';
import { answerEarly } from '../http/body.ts';
import { CORS, PREFLIGHT } from '../http/cors.ts';
import { type Handler, respond } from '../http/respond.ts';
import { useDocuments } from './documents.ts';
import type { GraphiqlPage } from './graphiql.ts';
import { useOperationLog } from './log-operations.ts';
import { type GraphQLParams, type RefusedRequest, readParams } from './params.ts';
import { usePublicErrors } from './public-errors.ts';

/** What of the host's the plugins and resolvers may see. */
export interface NodeContext {
  req: IncomingMessage;
  res: ServerResponse;
}

export type EndpointPlugin = Plugin<object, NodeContext>;

export interface EndpointOptions {
  schema: GraphQLSchema;
  /** What makes the context. */
  plugins: EndpointPlugin[];
  introspection: boolean;
  graphiql: GraphiqlPage | null;
  /** Null: requests are not logged. */
  accessLog: AccessLog | null;
  report: Report;
}

const LIMITS = { depth: 20, aliases: 30, tokens: 2_000 };

/** Whatever GraphQL answers may be about an account, or carry its tokens: no cache keeps it. */
const HEADERS = { ...CORS, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** GraphQL over HTTP, bounded. Yoga executes; requests are read here, where they cost less and can be cut off. */
export function graphqlEndpoint(options: EndpointOptions): Handler {
  const requests = new WeakMap<IncomingMessage, GraphQLParams>();
  const reader: EndpointPlugin = {
    onRequestParse: ({ serverContext, setRequestParser }) => setRequestParser(() => paramsOf(serverContext)),
  };
  const yoga = createYoga<NodeContext>({
    schema: options.schema,
    graphqlEndpoint: '/graphql',
    plugins: [
      reader,
      useDocuments({ ...LIMITS, introspection: options.introspection }),
      ...options.plugins,
      usePublicErrors(options.report),
      ...(options.accessLog ? [useOperationLog(options.accessLog)] : []),
    ],
    ...{ batching: false, cors: false, graphiql: false, landingPage: false, multipart: false },
    ...{ logging: false, maskedErrors: false, parserAndValidationCache: false, maxRequestBodySize: false },
  });

  function paramsOf({ req }: NodeContext): GraphQLParams {
    const params = requests.get(req);
    if (!params) throw new Error('the request was not read');
    return params;
  }

  return async (req, res) => {
    if (req.method === 'OPTIONS') return respond(req, res, 204, PREFLIGHT);
    if (options.graphiql && wantsPage(req)) return options.graphiql(req, res);
    const params = await readParams(req, res);
    if (params === 'gone') return;
    if ('status' in params) return refuse(req, res, params);
    requests.set(req, params);
    // Yoga makes an address of the two and parses it: with a Host that somebody made up it may be none. Nothing else
    // reads them, and links never come from them (S30).
    req.url = '/graphql';
    req.headers.host = 'localhost';
    const response = await yoga.handleNodeRequestAndResponse(req, res, { req, res });
    const body = await response.text();
    if (res.destroyed) return;
    if (response.status === 406) return refuse(req, res, NOT_ACCEPTABLE);
    const headers: Record<string, string> = {};
    for (const [name, value] of response.headers) headers[name.toLowerCase()] = value;
    respond(req, res, response.status, { ...headers, ...HEADERS }, body);
  };
}

const NOT_ACCEPTABLE: RefusedRequest = {
  ...{ status: 406, code: 'BAD_REQUEST' },
  message: 'The answer is application/json or application/graphql-response+json.',
};

function wantsPage({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept?.includes('text/html') ?? false);
}

/** Answers as GraphQL does, to what has not reached it. */
function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  { status, code, message, headers }: RefusedRequest,
): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  const all = { ...HEADERS, 'content-type': 'application/json; charset=utf-8', ...headers };
  if (req.complete) respond(req, res, status, all, body);
  else answerEarly(req, res, status, all, body);
}
