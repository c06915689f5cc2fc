// The requests of the benchmark, written out as they go over the wire.

export const PASSWORD = 'correct horse battery staple 9';

export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

export interface Operation {
  query: string;
  variables?: object;
}

export function graphqlRequest(operation: Operation, token?: string): string {
  return post('/graphql', operation, token === undefined ? {} : { authorization: `Bearer ${token}` });
}

export function post(path: string, body: object, headers: { [name: string]: string } = {}): string {
  const text = JSON.stringify(body);
  return (
    request('POST', path, {
      ...{ 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) },
      ...headers,
    }) + text
  );
}

export function request(method: string, path: string, headers: { [name: string]: string }): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}\r\n`;
}

export function emailOf(n: number): string {
  return `user${n}@example.com`;
}

export const TYPENAME: Operation = { query: '{ __typename }' };
export const GET_USER: Operation = { query: '{ getUser { id } }' };

// As clients send them: one document each, and what differs in its variables.
const REFRESH = `mutation Refresh($accessToken: String!, $refreshToken: String!) {
  refreshTokens(accessToken: $accessToken, refreshToken: $refreshToken) { sessionId tokens { accessToken refreshToken } }
}`;
const LOGIN = `mutation Login($serviceName: String!, $params: AuthenticateParamsInput!) {
  authenticate(serviceName: $serviceName, params: $params) { sessionId tokens { accessToken refreshToken } }
}`;

export function refreshMutation({ accessToken, refreshToken }: Tokens): Operation {
  return { query: REFRESH, variables: { accessToken, refreshToken } };
}

export function loginMutation(email: string): Operation {
  return {
    query: LOGIN,
    variables: { serviceName: 'password', params: { user: { email }, password: PASSWORD } },
  };
}
