import { AccountsClientError } from './error.ts';

export interface TransportOptions {
  url: string;
  fetch: typeof fetch;
  headers: () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
  credentials: 'omit' | 'same-origin' | 'include' | undefined;
  /** Milliseconds. */
  timeout: number;
}

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message?: unknown; extensions?: Record<string, unknown> }[];
}

/** Asks the server for an operation. Throws AccountsClientError. */
export type Ask = <T>(query: string, variables?: object, accessToken?: string | null) => Promise<T>;

export function createTransport({ url, fetch, headers, credentials, timeout }: TransportOptions): Ask {
  return async <T>(query: string, variables: object = {}, accessToken: string | null = null) => {
    const given = await headers();
    const init = {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...given,
        ...(accessToken !== null && { authorization: `Bearer ${accessToken}` }),
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(timeout),
      // Not every runtime knows it.
      ...(credentials && { credentials }),
    };
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, init);
      text = await response.text();
    } catch (cause) {
      throw new AccountsClientError('SERVICE_UNAVAILABLE', 'The server cannot be reached.', { cause });
    }
    const { data, errors } = parse(text);
    const [error] = errors ?? [];
    if (error) throw refusal(error, response);
    if (data) return data as T;
    throw new AccountsClientError(codeOf(response.status), `The server answered ${response.status}.`, {
      extensions: retryAfter(response),
    });
  };
}

function refusal(
  { message = 'The server refused this.', extensions = {} }: NonNullable<Answer['errors']>[number],
  response: Response,
): AccountsClientError {
  const { code = codeOf(response.status) } = extensions;
  return new AccountsClientError(String(code), String(message), {
    extensions: { ...retryAfter(response), ...extensions },
  });
}

/** An answer that is no GraphQL comes from something in front of the server. */
function parse(text: string): Answer {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== 'object' || answer === null) return {};
    const { data, errors } = answer as Answer;
    return { ...(data && { data }), ...(Array.isArray(errors) && { errors }) };
  } catch {
    return {};
  }
}

function codeOf(status: number): string {
  if (status === 429) return 'RATE_LIMITED';
  if (status === 413) return 'PAYLOAD_TOO_LARGE';
  return status >= 400 && status < 500 ? 'BAD_REQUEST' : 'SERVICE_UNAVAILABLE';
}

function retryAfter({ headers }: Response): { retryAfter?: number } {
  const seconds = Number.parseInt(headers.get('retry-after') ?? '', 10);
  return Number.isNaN(seconds) ? {} : { retryAfter: seconds };
}
