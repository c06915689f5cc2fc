import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from './children.ts';
import { emailOf, PASSWORD, type Tokens } from './requests.ts';

interface AccountsJs {
  server: Server;
  tokens: readonly Tokens[];
  /** The tokens of as many new sessions. */
  logIn(count: number): Promise<Tokens[]>;
}

interface BetterAuth {
  server: Server;
  /** Of one session each. */
  cookies: readonly string[];
}

export interface Peers {
  accountsJs: AccountsJs;
  betterAuth: BetterAuth;
  betterAuthCached: BetterAuth;
}

const FOLDER = join(import.meta.dirname, 'peers');

/** Starts them, with as many users who are logged in. */
export async function startPeers(
  start: (file: string, ...args: string[]) => Promise<Server>,
  { folder, users: count }: { folder: string; users: number },
): Promise<Peers> {
  install();
  const users = Array.from({ length: count }, (_, n) => ({ email: emailOf(n), password: PASSWORD }));
  const accountsJs = await start('peers/accounts-js.cjs');
  await accountsJs.ask('users', users);
  const emails = users.map(({ email }) => email);
  const logIn = (count: number): Promise<Tokens[]> => accountsJs.ask('sessions', { emails, count });
  const betterAuth = async (cache: 'on' | 'off'): Promise<BetterAuth> => {
    const file = join(folder, `better-auth-${cache}.db`);
    const server = await start('peers/better-auth.mjs', file, `cache=${cache}`);
    await server.ask('users', users);
    return { server, cookies: await server.ask('sessions', { users }) };
  };
  return {
    accountsJs: { server: accountsJs, logIn, tokens: await logIn(count) },
    betterAuth: await betterAuth('off'),
    betterAuthCached: await betterAuth('on'),
  };
}

/** In a folder of their own, where their old packages meet none of ours. */
function install(): void {
  if (existsSync(join(FOLDER, 'node_modules/.package-lock.json'))) return;
  console.log('Installing the peers, once.');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['ci', ...quiet, '--prefix', FOLDER], { stdio: 'inherit' });
}
