const UNAUTHORIZED = 13;
const DUPLICATE_KEY = 11_000;
const FAILED_VALIDATION = 121;

/** Before the key that it quotes, MongoDB names the index, unless `_id` has none of its own. */
const ANOTHER_INDEX = /^[^{]* index: (?!_id_ )/;

/** Whether `_id` is somebody's already. Not so when a unique index of an operator keeps a record out. */
export function isDuplicateKey(error: unknown): boolean {
  return codeOf(error) === DUPLICATE_KEY && error instanceof Error && !ANOTHER_INDEX.test(error.message);
}

export function isUnauthorized(error: unknown): boolean {
  return codeOf(error) === UNAUTHORIZED;
}

/**
 * The same error, or one line that says what to do. MongoDB quotes the command, the key or the document in these:
 * addresses and hashes that are nothing for a log.
 */
export function explain(error: unknown): unknown {
  if (error instanceof Error && error.name === 'MongoWriteConcernError')
    return new Error(
      'a majority of the replica set did not confirm a write in time: check that its members are up and keep up',
    );
  switch (codeOf(error)) {
    case UNAUTHORIZED:
      return new Error(
        'the user of the connection lacks a permission: give it the role readWrite on the database of the accounts',
      );
    case DUPLICATE_KEY:
      return new Error(
        isDuplicateKey(error)
          ? 'a record with this id is there already'
          : 'a unique index that is not of graphql-accounts keeps a record out: drop it',
      );
    case FAILED_VALIDATION:
      return new Error('a collection of graphql-accounts has a validator: remove it with collMod');
    default:
      return error;
  }
}

/** The same store, whose errors are explained. */
export function explained<Store extends object>(store: Store): Store {
  const methods = Object.entries(store).map(([name, method]) => [
    name,
    async (...args: unknown[]): Promise<unknown> => {
      try {
        return await method(...args);
      } catch (error) {
        throw explain(error);
      }
    },
  ]);
  return Object.fromEntries(methods) as Store;
}

/** Of the server's answer; the driver is not loaded for an `instanceof`. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
