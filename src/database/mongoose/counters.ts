import type { CounterRecord, CounterStore } from '../ports.ts';
import { isDuplicateKey } from './failures.ts';
import { putDocument } from './put.ts';
import { removeEnded } from './removal.ts';
import type { Collections, CounterDocument } from './schema.ts';
import { toDate } from './times.ts';

export function mongooseCounters(open: () => Promise<Collections>): CounterStore {
  const counters = async () => (await open()).counters;
  return {
    add: async ({ key, points, expiresAt }, now) => {
      const collection = await counters();
      const alive = { $gt: toDate(now) };
      const end = toDate(expiresAt);
      for (;;) {
        const before = await collection.findOneAndUpdate(
          { _id: key, expiresAt: alive },
          { $inc: { points } },
          { returnDocument: 'before' },
        );
        if (before) return toCounter({ ...before, points: before.points + points });
        try {
          // Of all who find it ended, or not there, one matches it or inserts it; then it is alive for the others.
          await collection.updateOne(
            { _id: key, expiresAt: { $not: alive } },
            { $set: { points, expiresAt: end } },
            { upsert: true },
          );
          return { key, points, expiresAt: end.getTime() };
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
        }
      }
    },
    put: async ({ key, points, expiresAt }) => {
      await putDocument(await counters(), { _id: key, points, expiresAt: toDate(expiresAt) });
    },
    find: async (key) => {
      const found = await (await counters()).findOne({ _id: key });
      return found && toCounter(found);
    },
    remove: async (key) => {
      await (await counters()).deleteOne({ _id: key });
    },
    removeExpired: async (now) => removeEnded(await counters(), 'expiresAt', toDate(now)),
  };
}

function toCounter({ _id, points, expiresAt }: CounterDocument): CounterRecord {
  return { key: _id, points, expiresAt: expiresAt.getTime() };
}
