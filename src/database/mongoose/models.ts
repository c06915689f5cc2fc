import type { Connection } from 'mongoose';
import { SCHEMA } from './schema.ts';

/**
 * Registers a model for each collection, so that schemas of the host can refer to them (`ref: 'GraphqlAccountsUser'`)
 * and its `syncIndexes()` keeps their indexes: it drops those that no model knows. Nothing of ours goes through them:
 * plugins, transforms and settings of the host's mongoose would change what is stored.
 */
export function registerModels(connection: Connection): void {
  const { Schema } = connection.base;
  for (const { collection, model, indexes } of Object.values(SCHEMA)) {
    if (model === null || connection.models[model]) continue;
    const schema = new Schema(
      { _id: String },
      { collection, strict: false, versionKey: false, autoIndex: false, autoCreate: false },
    );
    for (const { key, ...options } of indexes) schema.index(key, options);
    connection.model(model, schema);
  }
}
