const MAX_OWNERS = 10_000;

/** Whose the sessions are that were seen last: a guess, that spares a look-up a way to the server and back. */
export interface Owners {
  get(id: string): string | undefined;
  set(id: string, userId: string): void;
}

export function rememberOwners(): Owners {
  const owners = new Map<string, string>();
  return {
    get: (id) => owners.get(id),
    set: (id, userId) => {
      // Again to the end of the order: the first is the one that was not seen for longest.
      owners.delete(id);
      owners.set(id, userId);
      if (owners.size > MAX_OWNERS) owners.delete(owners.keys().next().value ?? '');
    },
  };
}
