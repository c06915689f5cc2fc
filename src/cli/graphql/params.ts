import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../http/body.ts';
import { queryOf } from '../http/url.ts';
import { MAX_BODY, VARIABLE_BOUNDS } from './bounds.ts';

/** What a request asks of GraphQL. */
export interface GraphQLParams {
  query: string;
  operationName?: string;
  variables?: Record<string, unknown>;
  extensions?: Record<string, unknown>;
}

/** Why a request cannot be handed to GraphQL. The message is ours: nothing of the request is in it. */
export interface RefusedRequest {
  status: number;
  code: 'BAD_REQUEST' | 'BAD_USER_INPUT' | 'PAYLOAD_TOO_LARGE';
  message: string;
  headers?: Record<string, string>;
}

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/graphql+json']);

/** Reads what a GET or a POST asks. `gone` when the client has left. */
export async function readParams(
  req: IncomingMessage,
  res: ServerResponse,
): Promise<GraphQLParams | RefusedRequest | 'gone'> {
  if (req.method === 'GET') return paramsOf(fromQuery(queryOf(req.url)));
  if (req.method !== 'POST') {
    return {
      ...badRequest('GraphQL is asked by GET or POST.', 405),
      headers: { allow: 'GET, POST, OPTIONS' },
    };
  }
  const problem = refuseType(req);
  if (problem) return problem;
  const body = await readBody(req, res, MAX_BODY);
  if (body === 'gone') return body;
  if (body === 'too large') {
    const message = `The body of a request may have ${MAX_BODY} bytes.`;
    return { status: 413, code: 'PAYLOAD_TOO_LARGE', message };
  }
  return paramsOf(parseJson(body.toString()));
}

/**
 * Refuses every type but JSON. A form on another site can send `text/plain`, `application/x-www-form-urlencoded` and
 * `multipart/form-data` without asking first, with whatever the browser adds to requests for us (S49).
 */
function refuseType({ headers }: IncomingMessage): RefusedRequest | null {
  const [type = ''] = (headers['content-type'] ?? '').split(/[;,]/, 1);
  if (!JSON_TYPES.has(type.trim().toLowerCase())) {
    return badRequest('The content type of a request must be application/json.', 415);
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  return encoding === 'identity' ? null : badRequest('The body of a request must not be compressed.', 415);
}

function fromQuery(query: string): unknown {
  const search = new URLSearchParams(query);
  // What is not JSON stays text, which neither of the two may be.
  const json = (name: string): unknown => {
    const text = search.get(name) || 'null';
    const value = parseJson(text);
    return value === undefined ? text : value;
  };
  return {
    query: search.get('query') || undefined,
    operationName: search.get('operationName') || undefined,
    variables: json('variables'),
    extensions: json('extensions'),
  };
}

/** Returns undefined, which no JSON is, for text that is not JSON. The error of JSON.parse would quote its input. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function paramsOf(input: unknown): GraphQLParams | RefusedRequest {
  if (input === undefined) return badRequest('The body of the request is not JSON.');
  if (Array.isArray(input)) return badRequest('One request asks for one operation.');
  if (typeof input !== 'object' || input === null) return badRequest('The request must be a JSON object.');
  const { query, operationName, variables, extensions } = input as Record<string, unknown>;
  if (query === undefined || query === null) return badRequest('The request has no "query".');
  if (typeof query !== 'string') return badRequest('"query" must be a string.');
  if (!isOptional(operationName, isString)) return badRequest('"operationName" must be a string.');
  if (!isOptional(variables, isObject)) return badRequest('"variables" must be an object.');
  if (!isOptional(extensions, isObject)) return badRequest('"extensions" must be an object.');
  const excess = excessOf(variables);
  if (excess) return { status: 400, code: 'BAD_USER_INPUT', message: excess };
  return {
    query,
    ...(operationName != null && { operationName }),
    ...(variables != null && { variables }),
    ...(extensions != null && { extensions }),
  };
}

/**
 * Says why variables hold too much, or null. Each error about an input object prints the whole object, so ninety
 * thousand unknown keys in one request would stop the server for seconds.
 */
function excessOf(variables: unknown): string | null {
  let values = 0;
  // Ends as soon as something is exceeded, and so before it has gone too deep itself.
  const visit = (value: unknown, depth: number): string | null => {
    if (++values > VARIABLE_BOUNDS.values)
      return `The variables hold more than ${VARIABLE_BOUNDS.values} values.`;
    if (typeof value !== 'object' || value === null) return null;
    if (depth > VARIABLE_BOUNDS.depth)
      return `The variables are nested deeper than ${VARIABLE_BOUNDS.depth}.`;
    for (const name in value) {
      const excess = visit((value as Record<string, unknown>)[name], depth + 1);
      if (excess) return excess;
    }
    return null;
  };
  return visit(variables, 0);
}

function badRequest(message: string, status = 400): RefusedRequest {
  return { status, code: 'BAD_REQUEST', message };
}

function isOptional<T>(value: unknown, is: (value: unknown) => value is T): value is T | null | undefined {
  return value === undefined || value === null || is(value);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
