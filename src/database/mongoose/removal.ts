import type { mongo } from 'mongoose';

/** Few enough that no command of the server takes long. */
const PART = 1_000;

/** Removes what ends before a time, part after part; how many in all. */
export async function removeEnded<Document extends { _id: string }>(
  collection: mongo.Collection<Document>,
  field: string,
  end: Date,
): Promise<number> {
  const ended = { [field]: { $lt: end } } as mongo.Filter<Document>;
  for (let removed = 0; ; ) {
    const found = await collection
      .find(ended, { projection: { _id: 1 }, limit: PART, batchSize: PART + 1 })
      .toArray();
    // Asked again: a session may have been refreshed meanwhile.
    const part = { ...ended, _id: { $in: found.map(({ _id }) => _id) } } as mongo.Filter<Document>;
    removed += (await collection.deleteMany(part)).deletedCount;
    if (found.length < PART) return removed;
  }
}
