import { AccountsServer, type ContextOf, consoleMail, password } from 'graphql-accounts';
import { memoryDatabase } from 'graphql-accounts/database/memory';
import { nextContext } from 'graphql-accounts/hosts/next';
import { headers } from 'next/headers';
import { cache } from 'react';

function createServer() {
  return new AccountsServer(
    { db: memoryDatabase(), tokenSecret: process.env.TOKEN_SECRET, sendMail: consoleMail() },
    { password: password() },
  );
}
export type Context = ContextOf<ReturnType<typeof createServer>>;

// Next.js evaluates this module once for pages and once for routes; and while it builds, without a secret.
const kept = globalThis as { accountsServer?: ReturnType<typeof createServer> };

export function accountsServer() {
  kept.accountsServer ??= createServer();
  return kept.accountsServer;
}

/** Who asks for the page: looked up once, however many components want to know. */
export const getAccounts = cache(async () => {
  const sent = await headers();
  return nextContext(accountsServer())(sent);
});
