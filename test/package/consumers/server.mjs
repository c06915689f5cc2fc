// Accounts behind Yoga, and tokens of servers with each kind of key: what other runtimes are clients of.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { AccountsServer, accountsModule, password, useAccounts } from 'graphql-accounts';
import { memoryDatabase } from 'graphql-accounts/database/memory';
import { createYoga } from 'graphql-yoga';

const SECRET = 'a secret of the package test, long enough';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = ({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' });
const jwk = ({ publicKey }) => publicKey.export({ format: 'jwk' });

const USER = { email: 'ada@example.com', password: 'correct horse battery staple' };

function serverWith(tokenSecret) {
  const db = memoryDatabase();
  const options = {
    db,
    tokenSecret,
    ambiguousErrorMessages: false,
    encryptionKey: 'another secret of the package test',
  };
  return new AccountsServer(options, { password: password() });
}

async function tokensOf(server) {
  const { userId } = await server.services.password.createUser(USER, {});
  const { tokens } = await server.loginWithUser({ id: userId }, {});
  return { userId, ...tokens };
}

/** Starts both; gives what the story needs to know, and what stops it. */
export async function start() {
  const byKeys = serverWith(rsa);
  const yoga = createYoga({
    schema: makeExecutableSchema(accountsModule(byKeys)),
    plugins: [useAccounts(byKeys)],
    logging: false,
  });
  const http = createServer((req, res) => {
    if (req.url !== '/.well-known/jwks.json') return yoga(req, res);
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify(byKeys.jwks()));
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${http.address().port}`;
  const ofKeys = await tokensOf(byKeys);
  const others = await Promise.all(
    [
      ['HS256', SECRET, { key: SECRET }],
      ['ES256', p256, { key: jwk(p256) }],
      ['PS256', { ...rsa, algorithm: 'PS256' }, { key: { publicKey: pem(rsa), algorithm: 'PS256' } }],
    ].map(async ([name, secret, options]) => ({ name, options, ...(await tokensOf(serverWith(secret))) })),
  );
  const cases = [
    { name: 'RS256 in PEM', options: { key: pem(rsa) }, ...ofKeys },
    { name: 'RS256 by a JWKS', options: { jwks: byKeys.jwks() }, ...ofKeys },
    { name: 'RS256 by the URL of a JWKS', options: { jwks: `${origin}/.well-known/jwks.json` }, ...ofKeys },
    ...others,
  ];
  const stop = () => {
    http.closeAllConnections();
    http.close();
  };
  return { input: { url: `${origin}/graphql`, user: USER, cases }, stop };
}
