import { afterAll, beforeAll } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import {
  AccountsServer,
  type AccountsServerOptions,
  type Caller,
  type CallerProof,
  type Mail,
  type OAuthOptions,
  type OAuthProviderOptions,
  oauth,
  password,
} from '../../../src/index.ts';
import { createClock, fastHashes, PASSWORD, SECRET } from '../../accounts.ts';
import { CLIENT, type OidcServer, startOidc } from '../../servers/oidc.ts';

export const SITE = 'http://localhost:3000';
export const CALLBACK = `${SITE}/oauth/callback`;
const HERE = { ip: '192.0.2.1', userAgent: 'test' };

/** A provider for the tests of one file. */
export function useOidc(options: Partial<Parameters<typeof startOidc>[0]> = {}): {
  readonly current: OidcServer;
} {
  let server: OidcServer | null = null;
  beforeAll(async () => {
    server = await startOidc({ redirectUris: [CALLBACK], ...options });
  });
  afterAll(() => server?.close());
  return {
    get current() {
      if (!server) throw new Error('the provider has not started');
      return server;
    },
  };
}

interface Setup extends Omit<Partial<OAuthOptions>, 'providers'> {
  providers?: { [name: string]: OAuthProviderOptions };
  server?: Partial<AccountsServerOptions>;
}

/** Accounts in memory, with the provider as `shop`. */
export function createAccounts(
  oidc: Pick<OidcServer, 'issuer'> | null,
  { server: given, ...options }: Setup = {},
) {
  const clock = createClock();
  const mails: Mail[] = [];
  const errors: unknown[] = [];
  const events: [string, object][] = [];
  const db = given?.db ?? memoryDatabase();
  const shop = oidc && { ...CLIENT, issuer: oidc.issuer, label: 'The shop' };
  const server = new AccountsServer(
    {
      db,
      siteUrl: SITE,
      tokenSecret: SECRET,
      now: clock.now,
      sendMail: (mail) => mails.push(mail),
      onError: (error) => errors.push(error),
      ...given,
    },
    {
      password: password(fastHashes),
      oauth: oauth({ providers: { ...(shop && { shop }), ...options.providers }, ...without(options) }),
    },
  );
  for (const name of [
    'CreateUserSuccess',
    'LoginSuccess',
    'LoginError',
    'LinkOAuthSuccess',
    'LinkOAuthError',
    'UnlinkOAuthSuccess',
    'UnlinkOAuthError',
  ] as const) {
    server.on(name, (event) => events.push([name, event]));
  }
  const service = server.services.oauth;
  return {
    server,
    service,
    db,
    clock,
    mails,
    errors,
    events,
    /** A whole login, as an API caller without a browser does it. */
    async logIn(oidcServer: OidcServer, sub: string, proof: CallerProof = {}) {
      const { url, state } = await service.start('shop');
      const back = await oidcServer.logIn(url, sub);
      const params = { provider: 'shop', code: back.searchParams.get('code'), state };
      return server.loginWithService('oauth', params, HERE, proof);
    },
    /** Begins and logs in at the provider; what came back. */
    async begun(oidcServer: OidcServer, sub: string, options: Parameters<typeof service.start>[1] = {}) {
      const started = await service.start('shop', options);
      const back = await oidcServer.logIn(started.url, sub);
      return {
        ...started,
        back,
        params: { provider: 'shop', code: back.searchParams.get('code') ?? '', state: started.state },
      };
    },
    finish: (params: object, proof: CallerProof = {}) =>
      server.loginWithService('oauth', params, HERE, proof),
    async signUp(email: string): Promise<string> {
      await server.services.password.createUser({ email, password: PASSWORD }, {});
      const user = await server.services.password.findUserByEmail(email);
      if (!user) throw new Error('the user was not created');
      return user.id;
    },
    async verify(email: string): Promise<void> {
      const user = await server.services.password.findUserByEmail(email);
      await server.services.password.addEmail(user?.id ?? '', email, true);
    },
    /** Whoever holds an access token, as a service sees them. */
    async ownerOf(accessToken: string) {
      const live = await server.resumeLiveSession(accessToken);
      return {
        live,
        connection: HERE,
        asker: { cookie: () => null, origin: null, remote: true },
        stillThere: () => server.resumeLiveSession(accessToken),
      };
    },
  };
}

function without({ providers: _, ...options }: Omit<Setup, 'server'>): Omit<OAuthOptions, 'providers'> {
  return options;
}

/** The cookie in a `Set-Cookie` header, as a browser brings it back. */
export function cookiesOf(...headers: (string | null)[]): Pick<Caller, 'cookie'> {
  const jar = new Map(headers.map((header) => (header ?? '').split(';')[0]?.split('=') as [string, string]));
  return { cookie: (name) => jar.get(name) ?? null };
}
