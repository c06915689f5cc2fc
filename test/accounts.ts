import { memoryDatabase } from '../src/database/memory/index.ts';
import type { AccountsDatabase } from '../src/database/ports.ts';
import {
  AccountsServer,
  type AccountsServerOptions,
  type Mail,
  type PasswordOptions,
  password,
} from '../src/index.ts';

export const SECRET = 'a secret of the tests that is long enough';
export const PASSWORD = 'correct horse battery staple';

/** A clock that the test turns. */
export function createClock(start = Date.UTC(2026, 0, 1)) {
  let time = start;
  return {
    now: () => time,
    pass: (duration: number) => {
      time += duration;
    },
  };
}

/** The cheapest argon2id that the hasher allows is the default; tests that hash a lot bring their own pair. */
export const fastHashes = {
  hashPassword: async (typed: string) => `plain ${typed}`,
  verifyPassword: async (typed: string, hash: string) => hash === `plain ${typed}`,
} satisfies PasswordOptions;

/** Accounts in memory, with an injected clock and a mailbox. */
export function createAccounts(
  options: Partial<AccountsServerOptions> = {},
  passwordOptions: PasswordOptions = fastHashes,
) {
  const clock = createClock();
  const mails: Mail[] = [];
  const errors: { error: unknown; where: string }[] = [];
  const db = options.db ?? memoryDatabase();
  const server = new AccountsServer(
    {
      db,
      tokenSecret: SECRET,
      now: clock.now,
      sendMail: (mail) => mails.push(mail),
      onError: (error, where) => errors.push({ error, where }),
      ...options,
    },
    { password: password(passwordOptions) },
  );
  const service = server.services.password;
  return {
    server,
    service,
    db,
    clock,
    mails,
    errors,
    /** Signs somebody up; their id. */
    async signUp(name: { email?: string; username?: string }, typed: string = PASSWORD): Promise<string> {
      await service.createUser({ ...name, password: typed }, {});
      const user = name.email
        ? await service.findUserByEmail(name.email)
        : await service.findUserByUsername(name.username ?? '');
      if (!user) throw new Error('the user was not created');
      return user.id;
    },
    logIn: (user: string, typed: string = PASSWORD) =>
      server.loginWithService('password', { user, password: typed }, { ip: '192.0.2.1', userAgent: 'test' }),
    /** The token in the newest mail to an address with a link of that kind. */
    async linkTo(address: string, path: string): Promise<string> {
      await server.settled();
      const mail = mails.findLast(({ to, text }) => to === address && text.includes(`/${path}/`));
      const token = mail?.text.match(new RegExp(`/${path}/([\\w-]+)`))?.[1];
      if (!token) throw new Error(`no ${path} mail went to ${address}`);
      return token;
    },
  };
}

/** The code with which a call is refused. */
export async function codeOf(call: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof call === 'function' ? call() : call);
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : `not coded: ${error}`;
  }
  return 'not refused';
}

/** The same database, without its joined look-up, and the names of what is asked of it. */
export function countQueries(db: AccountsDatabase) {
  const queries: string[] = [];
  const counted = <T extends object>(port: T, name: string): T =>
    Object.fromEntries(
      Object.entries(port).map(([method, value]) => [
        method,
        typeof value === 'function'
          ? (...args: unknown[]) => {
              queries.push(`${name}.${method}`);
              return value.apply(port, args);
            }
          : value,
      ]),
    ) as T;
  const { findWithUsers: _, ...sessions } = db.sessions;
  const watched: AccountsDatabase = {
    ...db,
    users: counted(db.users, 'users'),
    identities: counted(db.identities, 'identities'),
    sessions: counted(sessions, 'sessions'),
    oneTimeTokens: counted(db.oneTimeTokens, 'oneTimeTokens'),
  };
  return { counted: watched, queries };
}
