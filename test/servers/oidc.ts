// As it is of the passkeys' library: loaded by the service at its first use, and here before.
import 'openid-client';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export const CLIENT = { clientId: 'accounts', clientSecret: 'the secret that the provider gave' };

type Claims = { readonly [claim: string]: unknown };

interface OidcOptions {
  redirectUris: readonly string[];
  /** How the client shows who it is. That of the specification by default. */
  authMethod?: 'client_secret_basic' | 'client_secret_post';
}

/** A real OpenID provider on loopback, whose users are whom the test says. */
export interface OidcServer {
  issuer: string;
  /** What is known of an account from now on; its id is `sub`. */
  know(sub: string, claims: Claims): void;
  /** Goes where a browser would be sent, logs in there, and resolves to where it is sent back. */
  logIn(url: string, sub: string): Promise<URL>;
  close(): Promise<void>;
}

const FORM = `<!doctype html><title>Provider</title><form method="post">
<label>Account <input name="account" autofocus></label><button>Log in at the provider</button></form>`;

export async function startOidc({ redirectUris, authMethod }: OidcOptions): Promise<OidcServer> {
  const known = new Map<string, Claims>();
  let handle: (req: IncomingMessage, res: ServerResponse) => unknown = (_req, res) => res.end();
  const server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.clientSecret,
        redirect_uris: [...redirectUris],
        ...(authMethod && { token_endpoint_auth_method: authMethod }),
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'picture'] },
    cookies: { keys: ['a key of the tests'] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, ...known.get(sub) }) }),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    // Nobody is asked for a consent.
    loadExistingGrant: async (ctx) => {
      const { client, session } = ctx.oidc;
      const grant = new ctx.oidc.provider.Grant({
        clientId: client?.clientId,
        accountId: session?.accountId,
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  // It warns of what only a test would do.
  const callback = provider.callback();
  handle = async (req, res) => {
    if (!req.url?.startsWith('/interaction/')) return callback(req, res);
    if (req.method !== 'POST') return res.setHeader('content-type', 'text/html').end(FORM);
    const body = new URLSearchParams((await req.toArray()).join(''));
    const login = { accountId: body.get('account') ?? '' };
    await provider.interactionFinished(req, res, { login }, { mergeWithLastSubmission: false });
  };
  return {
    issuer,
    know: (sub, claims) => void known.set(sub, claims),
    logIn: (url, sub) => follow(url, issuer, new URLSearchParams({ account: sub })),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Follows redirects within the provider, with a jar of its own, and sends the form where it comes to one. */
async function follow(start: string, issuer: string, form: URLSearchParams): Promise<URL> {
  const jar = new Map<string, string>();
  let url = start;
  let body: URLSearchParams | null = null;
  for (let step = 0; step < 12; step++) {
    const cookie = [...jar].map((pair) => pair.join('=')).join('; ');
    const response: Response = await fetch(url, {
      method: body ? 'POST' : 'GET',
      body,
      headers: { cookie },
      redirect: 'manual',
    });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      jar.set(name, value);
    }
    const location = response.headers.get('location');
    body = null;
    if (location === null) {
      if (!url.includes('/interaction/')) throw new Error(`the provider answered ${response.status}`);
      body = form;
      continue;
    }
    const next = new URL(location, url);
    if (next.origin !== issuer) return next;
    url = next.href;
  }
  throw new Error('the provider leads nowhere');
}
