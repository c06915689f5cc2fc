import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = { [name: string]: unknown };

/** How it misbehaves; what is not given is as it should be. */
export interface Behaviour {
  metadata?: Json;
  header?: Json;
  claims?: Json;
  signWith?: KeyObject | null;
  userInfo?: unknown;
  token?: Json;
  /** In place of the answer of an endpoint. */
  answer?: { [path: string]: (req: IncomingMessage, res: ServerResponse) => void };
}

const KEYS = generateKeyPairSync('rsa', { modulusLength: 2_048 });
export const FOREIGN_KEYS = generateKeyPairSync('rsa', { modulusLength: 2_048 });

/** An OpenID provider that does what it is told. It takes every code, and logs everybody in as one account. */
export async function startBadOidc(clientId: string) {
  let behaviour: Behaviour = {};
  let nonce: string | null = null;
  const asked: { path: string; headers: IncomingMessage['headers']; body: URLSearchParams }[] = [];
  const server = createServer(async (req, res) => {
    const path = (req.url ?? '').split('?')[0] ?? '';
    const body = new URLSearchParams((await req.toArray()).join(''));
    asked.push({ path, headers: req.headers, body });
    const instead = behaviour.answer?.[path];
    if (instead) return instead(req, res);
    const answers: { [path: string]: () => unknown } = {
      '/.well-known/openid-configuration': metadata,
      '/jwks': () => ({
        keys: [{ ...KEYS.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }],
      }),
      '/token': () => ({
        access_token: 'an-access-token',
        token_type: 'Bearer',
        expires_in: 60,
        id_token: idToken(),
        ...behaviour.token,
      }),
      '/userinfo': () => behaviour.userInfo ?? { sub: 'ada' },
    };
    const answer = answers[path];
    res.setHeader('content-type', 'application/json');
    if (!answer) return res.writeHead(404).end('{}');
    res.end(JSON.stringify(answer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function metadata(): Json {
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      userinfo_endpoint: `${issuer}/userinfo`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      ...behaviour.metadata,
    };
  }

  function idToken(): string {
    const now = Math.floor(Date.now() / 1_000);
    const header = { alg: 'RS256', kid: 'one', ...behaviour.header };
    const claims = {
      iss: issuer,
      sub: 'ada',
      aud: clientId,
      iat: now,
      exp: now + 60,
      nonce,
      ...behaviour.claims,
    };
    const signed = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    if (behaviour.signWith === null) return `${signed}.`;
    return `${signed}.${sign('sha256', Buffer.from(signed), behaviour.signWith ?? KEYS.privateKey).toString('base64url')}`;
  }

  return {
    issuer,
    asked,
    /** From now on, and forgets what it was asked. */
    behave(next: Behaviour = {}): void {
      behaviour = next;
      asked.length = 0;
    },
    /** Logs in; the nonce goes into the next ID token. */
    logIn(url: string): string {
      nonce = new URL(url).searchParams.get('nonce');
      return `a code ${createHash('sha256').update(url).digest('hex')}`;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
