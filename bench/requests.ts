// The requests of the benchmark, written out as they go over the wire.

export const PASSWORD = 'correct horse battery staple 9';

export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

export function graphqlRequest(query: string, token?: string): string {
  return post('/graphql', { query }, token === undefined ? {} : { authorization: `Bearer ${token}` });
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

export const TYPENAME = '{ __typename }';
export const GET_USER = '{ getUser { id } }';

export function refreshMutation({ accessToken, refreshToken }: Tokens): string {
  return `mutation { refreshTokens(accessToken: "${accessToken}", refreshToken: "${refreshToken}") { sessionId } }`;
}

export function loginMutation(email: string): string {
  const params = `{ user: { email: "${email}" }, password: "${PASSWORD}" }`;
  return `mutation { authenticate(serviceName: "password", params: ${params}) { tokens { accessToken refreshToken } } }`;
}
