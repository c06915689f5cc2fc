import type { OneTimeTokenRecord, OneTimeTokenStore } from '../ports.ts';
import { fromDocument, toDocument } from './json.ts';
import type { PendingCreations } from './pending.ts';
import { putDocument } from './put.ts';
import { removeEnded } from './removal.ts';
import type { Collections, OneTimeTokenDocument } from './schema.ts';
import { toDate } from './times.ts';

export function mongooseOneTimeTokens(
  open: () => Promise<Collections>,
  pending: PendingCreations,
): OneTimeTokenStore {
  const tokens = async () => (await open()).oneTimeTokens;
  return {
    put: async (token) => {
      await putDocument(await tokens(), toDocumentOf(token));
    },
    find: async (hash) => {
      const found = await (await tokens()).findOne({ hash });
      return found && toToken(found);
    },
    consume: async (hash, purpose) => {
      const collection = await tokens();
      const found = await collection.findOne({ hash, purpose }, { projection: { _id: 1 } });
      // By its key as well: on a sharded cluster one document can be found and removed at once by no other field.
      const consumed = found && (await collection.findOneAndDelete({ _id: found._id, hash, purpose }));
      return consumed && toToken(consumed);
    },
    remove: async (key) => {
      await (await tokens()).deleteOne({ _id: key });
    },
    removeByUser: async (userId, purpose) => {
      await (await tokens()).deleteMany(purpose === undefined ? { userId } : { userId, purpose });
    },
    removeExpired: async (now) => {
      // What is called from time to time: sign-ups that nobody has tried again would stay for ever.
      await pending.removeLeftBehind();
      return removeEnded(await tokens(), 'expiresAt', toDate(now));
    },
  };
}

function toToken(document: OneTimeTokenDocument): OneTimeTokenRecord {
  const { _id, hash, purpose, userId, data, createdAt, expiresAt } = document;
  return {
    key: _id,
    hash,
    purpose,
    userId,
    data: fromDocument(data),
    createdAt: createdAt.getTime(),
    expiresAt: expiresAt.getTime(),
  };
}

function toDocumentOf(token: OneTimeTokenRecord): OneTimeTokenDocument {
  const { key, hash, purpose, userId, data, createdAt, expiresAt } = token;
  return {
    _id: key,
    hash,
    purpose,
    userId,
    data: toDocument(data),
    createdAt: toDate(createdAt),
    expiresAt: toDate(expiresAt),
  };
}
