import { NotMigrated } from '../not-migrated.ts';
import type { SqlDialect } from './dialect.ts';

/** Where drivers put what was being stored: e-mail addresses and hashes of passwords have no place in a log. */
const TELLING = ['sql', 'detail', 'where', 'internalQuery', 'parameters', 'hint'];

/** Of MySQL: wrong password, no such database, no right to it. They tell an operator a name, and were told no value. */
const BEFORE_ANY_VALUE = new Set([1044, 1045, 1049]);

/** The error without the values that its driver has put into it. */
export function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  for (const name of TELLING) if (name in error) Reflect.deleteProperty(error, name);
  if (!('sqlMessage' in error) || ('errno' in error && BEFORE_ANY_VALUE.has(Number(error.errno))))
    return error;
  // MySQL quotes them in the text itself, and leaves the quotes in them as they are.
  const text = error.message.replaceAll(/\b(do|does|is)n't\b/g, '$1 not').replace(/'.*'/s, '…');
  const stack = error.stack?.replace(error.message, () => text);
  return Object.assign(error, { message: text, sqlMessage: text, stack });
}

/** The same error, or one line that says what to do where the person who runs the server can do something. */
export function explain({ advice }: SqlDialect, error: unknown): unknown {
  const told = advice(error);
  return told === null ? error : unusable(told, error);
}

/** How every complaint of ours begins. */
export const UNUSABLE = 'The database cannot be used';

export function unusable(advice: string, cause?: unknown): Error {
  return new Error(`${UNUSABLE}: ${advice}.`, cause === undefined ? undefined : { cause });
}

export function notMigrated(what: string, isServer: boolean): NotMigrated {
  // The program keeps SQLite files of its own, with other tables.
  const program = ', or run `npx graphql-accounts migrate --database-url …`';
  const how = `Call \`db.migrate()\`${isServer ? program : ''}`;
  return new NotMigrated(`${UNUSABLE}: ${what}. ${how}.`);
}
