import type { UserRecord, UserStore } from '../ports.ts';
import type { Creations } from './creations.ts';
import { fromDocument, toDocument } from './json.ts';
import { findByIds, inOrder } from './order.ts';
import type { Collections, UserDocument } from './schema.ts';
import { toDate } from './times.ts';

export function mongooseUsers(open: () => Promise<Collections>, creations: Creations): UserStore {
  const users = async () => (await open()).users;
  return {
    create: (user, identities) => creations.create({ _id: user.id, ...toFields(user) }, identities),
    findMany: async (ids) => {
      const found = await findByIds(await users(), ids);
      for (const [id, { state }] of found) if (state !== 'active') found.delete(id);
      return inOrder(ids, found, toUser);
    },
    update: async (user) => {
      const { matchedCount } = await (await users()).updateOne(
        { _id: user.id, version: user.version, state: 'active' },
        { $set: toFields({ ...user, version: user.version + 1 }) },
      );
      return matchedCount === 1;
    },
  };
}

function toUser(document: UserDocument): UserRecord {
  const { _id, version, username, emails, deactivated, profile, createdAt, updatedAt } = document;
  return {
    id: _id,
    version,
    username,
    emails: emails.map((email) => ({ ...email })),
    deactivated,
    profile: fromDocument(profile),
    createdAt: createdAt.getTime(),
    updatedAt: updatedAt.getTime(),
  };
}

/** What a user is, without how it came to be. */
export type UserFields = Omit<UserDocument, '_id' | 'state' | 'creation' | 'startedAt' | 'claims'>;

function toFields(user: UserRecord): UserFields {
  return {
    version: user.version,
    username: user.username,
    emails: user.emails.map(({ address, canonical, verified, claimed }) => ({
      address,
      canonical,
      verified,
      claimed,
    })),
    deactivated: user.deactivated,
    profile: toDocument(user.profile),
    createdAt: toDate(user.createdAt),
    updatedAt: toDate(user.updatedAt),
  };
}
