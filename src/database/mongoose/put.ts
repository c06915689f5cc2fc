import type { mongo } from 'mongoose';
import { isDuplicateKey } from './failures.ts';

/** Stores a document in place of the one with its `_id`, if there is one. */
export async function putDocument<Document extends { _id: string }>(
  collection: mongo.Collection<Document>,
  { _id, ...fields }: Document,
): Promise<void> {
  for (;;) {
    try {
      const filter = { _id } as mongo.Filter<Document>;
      await collection.replaceOne(filter, fields as mongo.WithoutId<Document>, { upsert: true });
      return;
    } catch (error) {
      // Somebody else has just put the first of this `_id`: now there is one to replace.
      if (!isDuplicateKey(error)) throw error;
    }
  }
}
