import type { mongo } from 'mongoose';

/** The documents of these ids by their id, in one query: the first batch holds them all. */
export async function findByIds<Document extends { _id: string }>(
  collection: mongo.Collection<Document>,
  ids: readonly string[],
): Promise<Map<string, mongo.WithId<Document>>> {
  if (ids.length === 0) return new Map();
  const filter = { _id: { $in: [...new Set(ids)] } } as mongo.Filter<Document>;
  const found = await collection.find(filter, { batchSize: ids.length + 1 }).toArray();
  return new Map(found.map((document) => [document._id, document]));
}

/** A record for each id, in their order, null where there is no document. Two of one id are two records. */
export function inOrder<Document, Out>(
  ids: readonly string[],
  documents: ReadonlyMap<string, Document>,
  toRecord: (document: Document) => Out,
): (Out | null)[] {
  return ids.map((id) => {
    const document = documents.get(id);
    return document === undefined ? null : toRecord(document);
  });
}
