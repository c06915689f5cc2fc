import type { AccountsDatabase } from '../src/database/ports.ts';

/** A database whose calls are counted: each is one query, or one command, of its store. */
export function countCalls(db: AccountsDatabase): { counted: AccountsDatabase; calls: () => number } {
  let told = 0;
  const count = <T extends object>(store: T, own: { [name: string]: unknown } = {}): T =>
    new Proxy(store, {
      get(target, name) {
        if (typeof name === 'string' && Object.hasOwn(own, name)) return own[name];
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          told++;
          return Reflect.apply(value, target, args);
        };
      },
    });
  const users = count(db.users);
  // Where they live together, they still do.
  const joinedWith = db.sessions.joinedWith === db.users ? users : undefined;
  return {
    counted: Object.create(db, {
      users: { value: users },
      identities: { value: count(db.identities) },
      sessions: { value: count(db.sessions, { joinedWith }) },
      oneTimeTokens: { value: count(db.oneTimeTokens) },
    }),
    /** Since it was asked last. */
    calls() {
      const since = told;
      told = 0;
      return since;
    },
  };
}
