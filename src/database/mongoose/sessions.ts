import type { SessionRecord, SessionStore } from '../ports.ts';
import { findByIds, inOrder } from './order.ts';
import { removeEnded } from './removal.ts';
import type { Collections, SessionDocument } from './schema.ts';
import { toDate } from './times.ts';

/** Every change is one update of one document, with what it must be in the filter: the server compares and sets. */
export function mongooseSessions(open: () => Promise<Collections>): SessionStore {
  const sessions = async () => (await open()).sessions;
  return {
    create: async (session) => {
      await (await sessions()).insertOne({ _id: session.id, ...toFields(session) });
    },
    findMany: async (ids) => inOrder(ids, await findByIds(await sessions(), ids), toSession),
    update: async (session) => {
      const { matchedCount } = await (await sessions()).updateOne(
        { _id: session.id, version: session.version, revokedAt: null },
        { $set: toFields({ ...session, version: session.version + 1 }) },
      );
      return matchedCount === 1;
    },
    revoke: async (id, now) => {
      const { matchedCount } = await (await sessions()).updateOne(
        { _id: id, revokedAt: null },
        { $set: { revokedAt: toDate(now) } },
      );
      return matchedCount === 1;
    },
    revokeAll: async (userId, now, exceptSessionIds) => {
      await (await sessions()).updateMany(
        { userId, revokedAt: null, _id: { $nin: [...exceptSessionIds] } },
        { $set: { revokedAt: toDate(now) } },
      );
    },
    findByUser: async (userId) => {
      const found = (await sessions()).find({ userId, revokedAt: null }).sort({ createdAt: -1 });
      return (await found.toArray()).map(toSession);
    },
    removeExpired: async (now) => removeEnded(await sessions(), 'endsAt', toDate(now)),
  };
}

function toSession(document: SessionDocument): SessionRecord {
  return {
    id: document._id,
    userId: document.userId,
    version: document.version,
    rotation: document.rotation,
    rotatedAt: document.rotatedAt.getTime(),
    createdAt: document.createdAt.getTime(),
    idleExpiresAt: document.idleExpiresAt.getTime(),
    expiresAt: document.expiresAt.getTime(),
    revokedAt: document.revokedAt?.getTime() ?? null,
    authenticatedAt: (document.authenticatedAt ?? document.createdAt).getTime(),
    amr: [...(document.amr ?? [])],
    actorSessionId: document.actorSessionId,
    actorUserId: document.actorUserId,
    ip: document.ip,
    userAgent: document.userAgent,
  };
}

function toFields(session: SessionRecord): Omit<SessionDocument, '_id'> {
  return {
    userId: session.userId,
    version: session.version,
    rotation: session.rotation,
    rotatedAt: toDate(session.rotatedAt),
    createdAt: toDate(session.createdAt),
    idleExpiresAt: toDate(session.idleExpiresAt),
    expiresAt: toDate(session.expiresAt),
    endsAt: toDate(Math.min(session.idleExpiresAt, session.expiresAt)),
    revokedAt: session.revokedAt === null ? null : toDate(session.revokedAt),
    authenticatedAt: toDate(session.authenticatedAt),
    amr: [...session.amr],
    actorSessionId: session.actorSessionId,
    actorUserId: session.actorUserId,
    ip: session.ip,
    userAgent: session.userAgent,
  };
}
