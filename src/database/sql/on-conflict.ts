import type { SqlDialect } from './dialect.ts';
import { COUNTERS } from './tables.ts';

const { name } = COUNTERS;

/** What PostgreSQL and SQLite say alike, and MySQL does not. */
export const WITH_ON_CONFLICT: Pick<
  SqlDialect,
  'listsBecomePlaces' | 'orNothing' | 'isDuplicate' | 'orReplace' | 'orAdd' | 'returns'
> = {
  listsBecomePlaces: false,
  orNothing: 'ON CONFLICT DO NOTHING',
  isDuplicate: () => false,
  orReplace: (columns) =>
    `ON CONFLICT (id) DO UPDATE SET ${columns.map((name) => `${name} = excluded.${name}`).join(', ')}`,
  orAdd: `ON CONFLICT (id) DO UPDATE SET
    points = CASE WHEN ${name}.expires_at > :time THEN ${name}.points ELSE 0 END + excluded.points,
    expires_at = CASE WHEN ${name}.expires_at > :time THEN ${name}.expires_at ELSE excluded.expires_at END`,
  returns: true,
};
