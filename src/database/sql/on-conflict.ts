import type { SqlDialect } from './dialect.ts';

/** What PostgreSQL and SQLite say alike, and MySQL does not. */
export const WITH_ON_CONFLICT: Pick<
  SqlDialect,
  'listsBecomePlaces' | 'orNothing' | 'isDuplicate' | 'orReplace' | 'returns'
> = {
  listsBecomePlaces: false,
  orNothing: 'ON CONFLICT DO NOTHING',
  isDuplicate: () => false,
  orReplace: (columns) =>
    `ON CONFLICT (id) DO UPDATE SET ${columns.map((name) => `${name} = excluded.${name}`).join(', ')}`,
  returns: true,
};
