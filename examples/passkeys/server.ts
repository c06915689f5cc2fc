// A gateway with passwords and passkeys, and the page that uses them.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeExecutableSchema } from '@graphql-tools/schema';
import {
  AccountsServer,
  accountsModule,
  authDirective,
  consoleMail,
  passkey,
  password,
  useAccounts,
} from 'graphql-accounts';
import { sqliteDatabase } from 'graphql-accounts/database/sqlite';
import { createYoga } from 'graphql-yoga';

const { PORT = '3000', SITE_URL = `http://localhost:${PORT}`, TOKEN_SECRET } = process.env;

const db = sqliteDatabase('./accounts.db');
await db.migrate?.();

const accountsServer = new AccountsServer(
  { db, tokenSecret: TOKEN_SECRET, siteUrl: SITE_URL, sendMail: consoleMail() },
  { password: password(), passkey: passkey({ rpName: 'The example' }) },
);

const accounts = accountsModule(accountsServer);
const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
const schema = authDirectiveTransformer(
  makeExecutableSchema({
    typeDefs: [accounts.typeDefs, authDirectiveTypeDefs],
    resolvers: accounts.resolvers,
  }),
);
const yoga = createYoga({ schema, plugins: [useAccounts(accountsServer)] });

/** What browsers may load, by path. A bundler would put the library into the page's own script. */
const library = dirname(fileURLToPath(import.meta.resolve('@simplewebauthn/browser')));
const FILES: ReadonlyMap<string, string> = new Map([
  ['/', join(import.meta.dirname, 'index.html')],
  ['/page.js', join(import.meta.dirname, 'page.js')],
]);
const TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
]);

function fileOf(path: string): string | undefined {
  const known = FILES.get(path);
  if (known !== undefined) return known;
  const [, inLibrary] = /^\/simplewebauthn\/([\w/.-]+\.js)$/.exec(path) ?? [];
  const file = inLibrary === undefined ? undefined : normalize(join(library, inLibrary));
  return file?.startsWith(library) ? file : undefined;
}

const server = createServer((req, res) => {
  const [path = '/'] = (req.url ?? '/').split('?');
  if (path === '/graphql') return void yoga(req, res);
  try {
    const file = fileOf(path);
    if (file === undefined) throw new Error('there is no such file');
    const text = readFileSync(file);
    res.writeHead(200, { 'content-type': TYPES.get(extname(file)) ?? 'text/plain' }).end(text);
  } catch {
    res.writeHead(404).end();
  }
});
server.listen(Number(PORT), 'localhost', () => console.log(`listening at ${SITE_URL}`));

process.once('SIGTERM', async () => {
  server.close();
  server.closeAllConnections();
  await accountsServer.settled();
  await db.close?.();
});
