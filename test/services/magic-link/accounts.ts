import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { AccountsDatabase, IdentityRecord } from '../../../src/database/ports.ts';
import {
  AccountsError,
  AccountsServer,
  type AccountsServerOptions,
  type AccountsService,
  type CodeOptions,
  code,
  type MagicLinkOptions,
  type Mail,
  magicLink,
  type PasswordOptions,
  password,
  type ServiceFactory,
} from '../../../src/index.ts';
import { createClock, fastHashes, PASSWORD, SECRET } from '../../accounts.ts';

export const FROM = { ip: '192.0.2.1', userAgent: 'test' };
/** What the second factor of the tests takes. */
export const SECOND_CODE = '111111';

interface Given {
  options?: Partial<AccountsServerOptions>;
  magic?: MagicLinkOptions;
  codes?: CodeOptions;
  passwords?: PasswordOptions;
  now?: () => number;
}

/** Accounts with a password, a magic link and a code, with an injected clock and a mailbox. */
export function createMailed({ options = {}, magic, codes, passwords, now }: Given = {}) {
  const clock = createClock();
  const mails: Mail[] = [];
  const errors: { error: unknown; where: string }[] = [];
  const db = options.db ?? memoryDatabase();
  const server = new AccountsServer(
    {
      tokenSecret: SECRET,
      now: now ?? clock.now,
      sendMail: (mail) => mails.push(mail),
      onError: (error, where) => errors.push({ error, where }),
      ...options,
      db,
    },
    {
      password: password({ ...fastHashes, ...passwords }),
      magicLink: magicLink(magic),
      code: code(codes),
      factor: factor(),
    },
  );
  const { password: service, magicLink: links, code: loginCodes } = server.services;
  const newest = async (to: string, pattern: RegExp): Promise<string> => {
    await server.settled();
    const found = mails.filter((mail) => mail.to === to).map(({ text }) => pattern.exec(text)?.[1]);
    const token = found.findLast((match) => match !== undefined);
    if (token === undefined) throw new Error(`no such mail went to ${to}`);
    return token;
  };
  return {
    server,
    service,
    links,
    loginCodes,
    db,
    clock,
    mails,
    errors,
    async signUp(email: string, { username }: { username?: string } = {}): Promise<string> {
      await service.createUser({ email, username, password: PASSWORD }, {});
      const user = await service.findUserByEmail(email);
      if (!user) throw new Error('the user was not created');
      return user.id;
    },
    async verify(email: string): Promise<void> {
      await service.sendVerificationEmail(email);
      await service.verifyEmail(await newest(email, /\/verify-email\/([\w-]+)/));
    },
    async link(email: string): Promise<string> {
      await links.requestMagicLinkEmail(email);
      return newest(email, /\/magic-link\/([\w-]+)/);
    },
    async code(email: string): Promise<string> {
      await loginCodes.requestLoginCode(email);
      return newest(email, /^(\d{6})$/m);
    },
    newest,
    byLink: (token: unknown) => server.loginWithService('magicLink', { token }, FROM),
    byCode: (email: string, typed: unknown) =>
      server.loginWithService('code', { user: { email }, code: typed }, FROM),
    byPassword: (user: string, typed = PASSWORD) =>
      server.loginWithService('password', { user, password: typed }, FROM),
  };
}

/** A second factor whose code never changes. */
function factor(): ServiceFactory<AccountsService> {
  return {
    create: ({ secondFactors }) => ({
      authenticate: ({ token, code: typed }, _connection, attempt) =>
        secondFactors.redeem(token, typed, attempt),
      factor: {
        factors: ['totp'],
        verify: async (_user, typed) => {
          if (typed !== SECOND_CODE) throw new AccountsError('INVALID_CODE');
          return { amr: ['otp'], stillHolds: async () => true };
        },
      },
    }),
  };
}

export async function plant(
  db: AccountsDatabase,
  identity: Pick<IdentityRecord, 'service' | 'subject' | 'userId'>,
): Promise<void> {
  const planted = await db.identities.insert({
    ...identity,
    version: 1,
    data: { planted: true },
    createdAt: 0,
  });
  if (!planted) throw new Error(`${identity.service} could not be planted`);
}

/** What a stranger prepares in an account that is somebody else's by rights; the names of it. */
export async function prepare(db: AccountsDatabase, userId: string): Promise<string[]> {
  const services = ['totp', 'totp-pending', 'recovery', 'passkey', 'oauth:google', 'oauth:github'];
  for (const service of services) {
    const isForeign = /^(passkey|oauth:)/.test(service);
    await plant(db, { service, subject: isForeign ? `${service} of ${userId}` : userId, userId });
  }
  return [...services, 'password'];
}

export async function identitiesOf(db: AccountsDatabase, userId: string): Promise<string[]> {
  return (await db.identities.findByUser(userId))
    .map(({ service, subject }) => `${service} ${subject}`)
    .sort();
}

/** A process that dies before the n-th call of its store: from then on nothing reaches it. */
export function mortal(
  db: AccountsDatabase,
  dieAt: number,
): { dying: AccountsDatabase; calls: () => number } {
  let calls = 0;
  const port = <T extends object>(store: T): T =>
    Object.fromEntries(
      Object.entries(store).map(([name, value]) => [
        name,
        typeof value === 'function'
          ? async (...args: unknown[]) => {
              calls++;
              if (calls >= dieAt) throw new Error('dead');
              return value.apply(store, args) as unknown;
            }
          : value,
      ]),
    ) as T;
  const { findWithUsers: _, joinedWith: __, ...sessions } = db.sessions;
  return {
    dying: {
      ...db,
      users: port(db.users),
      identities: port(db.identities),
      sessions: port(sessions),
      oneTimeTokens: port(db.oneTimeTokens),
    },
    calls: () => calls,
  };
}
