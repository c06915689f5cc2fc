const UNAUTHORIZED = 13;
const DUPLICATE_KEY = 11_000;
const FAILED_VALIDATION = 121;

/** Whether `_id` is somebody's already. */
export function isDuplicateKey(error: unknown): boolean {
  return codeOf(error) === DUPLICATE_KEY;
}

export function isUnauthorized(error: unknown): boolean {
  return codeOf(error) === UNAUTHORIZED;
}

/**
 * The same error, or one line that says what to do. MongoDB quotes the command or the key in these: addresses and
 * hashes that are nothing for a log.
 */
export function explain(error: unknown): unknown {
  switch (codeOf(error)) {
    case UNAUTHORIZED:
      return new Error(
        'the user of the connection lacks a permission: give it the role readWrite on the database of the accounts',
      );
    case DUPLICATE_KEY:
      return new Error('a record with this id is there already');
    case FAILED_VALIDATION:
      return new Error('a collection of graphql-accounts has a validator: remove it with collMod');
    default:
      return error;
  }
}

/** The same stores, whose errors are explained. */
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
