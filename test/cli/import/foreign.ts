// Users of another system, as a source gives them.

import type { ForeignUser, UserSource } from '../../../src/cli/import/foreign-user.ts';
import { mapUser } from '../../../src/cli/import/map-user.ts';
import { createSecretBox } from '../../../src/core/secret-box.ts';

export const KEY = 'an encryption key of the tests, 32 bytes or more';
export const BOX = createSecretBox([KEY]);
export const NOW = Date.UTC(2026, 0, 1);
export const BCRYPT = `$2a$10$${'a'.repeat(53)}`;

export function foreign(user: Partial<ForeignUser> = {}): ForeignUser {
  const id = user.id === undefined ? 'ada' : user.id;
  return {
    key: id ?? 'none',
    label: id ?? 'none',
    username: undefined,
    emails: undefined,
    services: [],
    deactivated: undefined,
    createdAt: NOW,
    updatedAt: NOW,
    custom: {},
    ...user,
    id,
  };
}

export const mapped = (user: Partial<ForeignUser>) => mapUser(foreign(user), { box: BOX, now: NOW });

/** A source in memory, in batches of a few. */
export function sourceOf(users: readonly ForeignUser[], batch = 3): UserSource {
  return {
    async *users() {
      for (let index = 0; index < users.length; index += batch) yield users.slice(index, index + batch);
    },
    close: async () => {},
  };
}

/** Users of whom every tenth shares a username with the one before, and every seventh has what no JSON holds. */
export function manyUsers(count: number): ForeignUser[] {
  return Array.from({ length: count }, (_, index) =>
    foreign({
      id: `user ${String(index).padStart(6, '0')}`,
      username: index % 10 === 9 ? `name${index - 1}` : `name${index}`,
      emails: [{ address: `user${index}@example.com`, verified: true }],
      services: [['password', { bcrypt: BCRYPT }]],
      custom: { score: index % 7 === 0 ? Number.NaN : index },
    }),
  );
}
