import type { IncomingMessage, Server } from 'node:http';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { AccountsServer } from '../core/accounts-server.ts';
import { type Connection, parseConnection } from '../core/connection.ts';
import { within } from '../core/deadline.ts';
import type { Report } from '../core/report.ts';
import { HOUR } from '../core/time.ts';
import { AccountsError } from '../errors.ts';
import { authDirective } from '../graphql/auth-directive/index.ts';
import { contextReader } from '../graphql/context.ts';
import { accountsModule } from '../graphql/module.ts';
import { clientAddress } from '../graphql/request/client-address.ts';
import { code } from '../services/code/index.ts';
import { magicLink } from '../services/magic-link/index.ts';
import { password } from '../services/password/index.ts';
import { twoFactor } from '../services/two-factor/index.ts';
import { BadConfiguration, reasonOf } from './bad-configuration.ts';
import type { Config } from './config.ts';
import { graphqlEndpoint } from './graphql/endpoint.ts';
import { graphiqlPage } from './graphql/graphiql.ts';
import { AccessLog } from './http/access-log.ts';
import { healthCheck } from './http/health.ts';
import type { Handler } from './http/respond.ts';
import { createRouter, starting } from './http/router.ts';
import { createHttpServer, drain, listen } from './http/server.ts';
import type { Log } from './log.ts';
import { chooseMail } from './mail.ts';
import { createOAuth } from './oauth.ts';
import { type LinkActions, linkPages } from './pages/link-pages.ts';
import { oauthPages } from './pages/oauth-pages.ts';
import { choosePasskeys } from './passkeys.ts';
import { startMessage } from './start-message.ts';
import { type OpenStores, openStores } from './stores/open-stores.ts';

interface RunningServer {
  /** Where GraphQL is. */
  url: string;
  /** For people: where it is, where the data lies, what to try first. */
  message: string;
  /** Takes no new requests, lets those in flight and the mails after them finish, and closes the database. */
  close(): Promise<void>;
}

/** What requests and mails may take of the 10 s in which the program ends. */
const REQUESTS_END = 6_000;
const MAILS_END = 3_000;

/** Starts the server. Throws BadConfiguration for what whoever started it can put right. */
export async function serve(config: Config, log: Log): Promise<RunningServer> {
  let handler: Handler = starting;
  const server = createHttpServer((req, res) => handler(req, res));
  // The port comes first: a second start in the same folder ends here, before it touches the data of the first.
  const port = await listenOrRefuse(server, config);
  let stores: OpenStores | undefined;
  try {
    stores = await openStores(config);
    for (const warning of stores.warnings) log.warn(`SESSIONS_URL: ${warning}`);
    const siteUrl = config.siteUrl ?? `http://localhost:${port}`;
    const { sendMail, place: mailPlace } = chooseMail(config.mail, log);
    if (config.production && config.siteUrl === null && config.mail.to !== 'nowhere') {
      log.warn(`SITE_URL is not set: the links in mails lead to ${siteUrl}`);
    }
    if (!config.rateLimits) {
      log.warn('RATE_LIMITS is off: passwords can be guessed at as fast as they are verified');
    }
    const report: Report = (error, where) => log.failure(error, where);
    const passkeys = choosePasskeys(config.rpId, siteUrl, log);
    const accounts = createAccounts(config, stores, { siteUrl, sendMail, report, passkeys });
    handler = createHandler(config, accounts, { siteUrl, report, log });
    const stopCleaning = keepClean(accounts, report);
    const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
    const { place: dataPlace, close: closeStores } = stores;
    return {
      url: `${url}/graphql`,
      message: startMessage({ url, dataPlace, mailPlace, graphiql: config.graphiql }),
      async close() {
        stopCleaning();
        await drain(server, REQUESTS_END);
        await within(MAILS_END, accounts.settled(), () => {});
        await closeStores();
      },
    };
  } catch (error) {
    server.close();
    server.closeAllConnections();
    await stores?.close();
    throw error;
  }
}

async function listenOrRefuse(server: Server, { port, host }: Config): Promise<number> {
  try {
    return await listen(server, port, host);
  } catch (error) {
    throw new BadConfiguration(`cannot listen on ${host} port ${port}: ${reasonOf(error)}`);
  }
}

interface Surroundings {
  siteUrl: string;
  sendMail: ReturnType<typeof chooseMail>['sendMail'];
  report: Report;
  passkeys: ReturnType<typeof choosePasskeys>;
}

function createAccounts(config: Config, { db, tokenSecret }: OpenStores, around: Surroundings) {
  const { siteUrl, sendMail, report, passkeys } = around;
  // Everything in it was checked when it was read: what is thrown here is an error of ours.
  return new AccountsServer(
    {
      db,
      tokenSecret,
      siteUrl,
      sendMail,
      onError: report,
      emailTemplates: { from: config.mailFrom ?? `no-reply@${new URL(siteUrl).hostname}` },
      useStatelessSession: config.stateless,
      ambiguousErrorMessages: config.ambiguousErrors,
      enableAutologin: config.autologin,
      // Empty: derived from the secret of the tokens.
      encryptionKey: config.encryptionKeys.length > 0 ? config.encryptionKeys : undefined,
      rateLimits: config.rateLimits ? undefined : false,
    },
    {
      password: password({
        requireEmailVerification: config.requireEmailVerification,
        hashConcurrency: config.hashConcurrency,
      }),
      magicLink: magicLink(),
      ...passkeys,
      code: code(),
      twoFactor: twoFactor(),
      oauth: createOAuth(config.oauth),
    },
  );
}

function createHandler(
  config: Config,
  accounts: ReturnType<typeof createAccounts>,
  { siteUrl, report, log }: { siteUrl: string; report: Report; log: Log },
): Handler {
  const { trustedProxies, introspection, returnToOrigins } = config;
  const addressOf = clientAddress(trustedProxies);
  const accessLog = log.requests ? new AccessLog(log, addressOf) : null;
  const { typeDefs, resolvers } = accountsModule(accounts);
  const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
  const schema = makeExecutableSchema({ typeDefs: [typeDefs, authDirectiveTypeDefs], resolvers });
  const connectionOf = (req: IncomingMessage): Connection =>
    parseConnection({ ip: addressOf(req), userAgent: req.headers['user-agent'] });
  const links = linkPages({ actions: linkActions(accounts), connectionOf, siteUrl, returnToOrigins, report });
  const logins = oauthPages({
    oauth: accounts.services.oauth,
    logIn: (service, params, connection, proof) =>
      accounts.loginWithService(service, params, connection, proof),
    ...{ connectionOf, siteUrl, returnToOrigins, report },
  });
  return createRouter({
    graphql: graphqlEndpoint({
      schema: authDirectiveTransformer(schema),
      context: contextReader('serve', accounts, { trustedProxies }),
      introspection,
      trustedOrigins: trustedOrigins(config, siteUrl),
      graphiql: config.graphiql ? graphiqlPage() : null,
      accessLog,
      report,
    }),
    health: healthCheck(() => accounts.ping()),
    pages: (req, res) => links(req, res) || logins(req, res),
    accessLog,
    report,
  });
}

/** Where the site and its front ends are: their pages finish logins that they began, by the cookie that says so. */
function trustedOrigins(
  { returnToOrigins, oauth: { redirectUris = [] } }: Config,
  siteUrl: string,
): string[] {
  const pages = [siteUrl, ...redirectUris].filter((url) => /^https?:/.test(url));
  return [...returnToOrigins, ...pages.map((url) => new URL(url).origin)];
}

function linkActions(accounts: ReturnType<typeof createAccounts>): LinkActions {
  const { password: passwords } = accounts.services;
  return {
    verifyEmail: (token) => passwords.verifyEmail(token),
    rejectEmail: (token) => passwords.rejectEmail(token),
    resetPassword: (token, newPassword, connection) =>
      passwords.resetPassword(token, newPassword, connection),
    logIn: (service, params, connection) =>
      accounts.loginWithService(service, params, connection, { remote: true }),
  };
}

/** Removes expired sessions and links from the store, now and every hour. Returns what stops it. */
function keepClean(accounts: AccountsServer, report: Report): () => void {
  const clean = (): void => {
    accounts.removeExpired().catch((error: unknown) => {
      // The store has reported by itself why it did not answer.
      if (!(error instanceof AccountsError)) report(error, 'removing what has expired');
    });
  };
  clean();
  const timer = setInterval(clean, HOUR).unref();
  return () => clearInterval(timer);
}
