import type { AccountsDatabase } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import type { Report } from './events.ts';

/** What core uses of a database; `joined` says that one query may answer for sessions and users. */
export interface Store {
  readonly users: AccountsDatabase['users'];
  readonly identities: AccountsDatabase['identities'];
  readonly sessions: AccountsDatabase['sessions'];
  readonly oneTimeTokens: AccountsDatabase['oneTimeTokens'];
  readonly joined: boolean;
  ping(): Promise<void>;
}

/**
 * A database whose every failure is SERVICE_UNAVAILABLE and whose every call ends within the deadline: the text of a
 * driver's error reaches no client, and a store that hangs holds no request for ever.
 */
export function createStore(db: AccountsDatabase, deadline: number, report: Report): Store {
  for (const name of ['users', 'identities', 'sessions', 'oneTimeTokens'] as const) {
    if (typeof db[name] !== 'object' || db[name] === null)
      throw new TypeError(`the database has no store ${name}`);
  }
  const guard = <T extends object>(port: T, name: string): T => guarded(port, name, deadline, report);
  return {
    users: guard(db.users, 'users'),
    identities: guard(db.identities, 'identities'),
    sessions: guard(db.sessions, 'sessions'),
    oneTimeTokens: guard(db.oneTimeTokens, 'oneTimeTokens'),
    joined: db.sessions.findWithUsers !== undefined && db.sessions.joinedWith === db.users,
    ping: () =>
      within(
        deadline,
        async () => void (await (db.ping ? db.ping() : db.users.findMany([]))),
        'ping',
        report,
      ),
  };
}

function guarded<T extends object>(port: T, name: string, deadline: number, report: Report): T {
  const methods = Object.entries(port).filter(([, method]) => typeof method === 'function');
  const wrapped = methods.map(([method, call]: [string, (...args: unknown[]) => unknown]) => [
    method,
    (...args: unknown[]) => within(deadline, () => call.apply(port, args), `${name}.${method}`, report),
  ]);
  return { ...port, ...Object.fromEntries(wrapped) };
}

async function within<T>(
  deadline: number,
  call: () => T | Promise<T>,
  where: string,
  report: Report,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${deadline} ms`)), deadline);
  });
  try {
    return await Promise.race([call(), late]);
  } catch (error) {
    if (error instanceof AccountsError) throw error;
    report(error, `the database (${where})`);
    throw new AccountsError('SERVICE_UNAVAILABLE', undefined, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
