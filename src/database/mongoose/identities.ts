import type { IdentityRecord, IdentityStore } from '../ports.ts';
import type { Creations } from './creations.ts';
import { fromDocument, toDocument } from './json.ts';
import type { PendingCreations } from './pending.ts';
import type { Collections, IdentityDocument } from './schema.ts';
import { toDate } from './times.ts';

export function mongooseIdentities(
  open: () => Promise<Collections>,
  creations: Creations,
  pending: PendingCreations,
): IdentityStore {
  const identities = async () => (await open()).identities;

  /**
   * Does what finds nothing in an identity that still carries the claim of its creation; if that was completed, the
   * claim is taken off, unless somebody else has just done so, and it is done again.
   */
  const onSettled = async (
    id: string,
    version: number,
    change: (filter: { _id: string; version: number; claim: { $exists: false } }) => Promise<number>,
  ): Promise<boolean> => {
    const filter = { _id: id, version, claim: { $exists: false } } as const;
    if ((await change(filter)) === 1) return true;
    const found = await (await identities()).findOne({ _id: id, version });
    return found !== null && (await pending.counts(found)) && (await change(filter)) === 1;
  };

  return {
    find: async (service, subject) => {
      const found = await (await identities()).findOne({ _id: identityId(service, subject) });
      return found && (await pending.counts(found)) ? toIdentity(found) : null;
    },
    findByUser: async (userId) => {
      const counted: IdentityRecord[] = [];
      for (const found of await (await identities()).find({ userId }).toArray())
        if (await pending.counts(found)) counted.push(toIdentity(found));
      return counted;
    },
    insert: (identity) => creations.add(toIdentityDocument(identity)),
    update: async ({ service, subject, version, userId, data }) =>
      onSettled(identityId(service, subject), version, async (filter) => {
        const set = { userId, data: toDocument(data), version: version + 1 };
        return (await (await identities()).updateOne(filter, { $set: set })).matchedCount;
      }),
    remove: async (service, subject, version) =>
      onSettled(
        identityId(service, subject),
        version,
        async (filter) => (await (await identities()).deleteOne(filter)).deletedCount,
      ),
  };
}

/** One for each pair and no other: of the service the separator is escaped, of the subject nothing has to be. */
export function identityId(service: string, subject: string): string {
  return `${service.replaceAll('%', '%25').replaceAll(':', '%3A')}:${subject}`;
}

/** Its service and its subject. */
function namesIn(id: string): [service: string, subject: string] {
  const end = id.indexOf(':');
  return [id.slice(0, end).replaceAll('%3A', ':').replaceAll('%25', '%'), id.slice(end + 1)];
}

function toIdentity({ _id, userId, version, data, createdAt }: IdentityDocument): IdentityRecord {
  const [service, subject] = namesIn(_id);
  return { service, subject, userId, version, data: fromDocument(data), createdAt: createdAt.getTime() };
}

export function toIdentityDocument(identity: IdentityRecord): IdentityDocument {
  const { service, subject, userId, version, data, createdAt } = identity;
  return {
    _id: identityId(service, subject),
    userId,
    version,
    data: toDocument(data),
    createdAt: toDate(createdAt),
  };
}
