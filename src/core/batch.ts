import { gather } from '../gather.ts';

/** So many look-ups wait for no more. */
const ENOUGH = 100;

/**
 * Look-ups that arrive within one turn of the event loop, and in those that follow at once, become one. `find` gets
 * each id once and gives the records in that order.
 *
 * Turns, not microtasks: requests that were read from several sockets in one turn run in separate tasks.
 */
export function batched<T>(
  find: (ids: readonly string[]) => Promise<readonly (T | null)[]>,
): (id: string) => Promise<T | null> {
  let waiting: Map<string, PromiseWithResolvers<T | null>> | null = null;

  const flush = async (batch: Map<string, PromiseWithResolvers<T | null>>): Promise<void> => {
    try {
      const found = await find([...batch.keys()]);
      [...batch.values()].forEach(({ resolve }, index) => void resolve(found[index] ?? null));
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
    }
  };

  return (id) => {
    const batch = waiting ?? new Map<string, PromiseWithResolvers<T | null>>();
    const known = batch.get(id) ?? Promise.withResolvers<T | null>();
    batch.set(id, known);
    if (batch !== waiting) {
      waiting = batch;
      void gather(() => batch.size, ENOUGH).then(() => {
        waiting = null;
        return flush(batch);
      });
    }
    return known.promise;
  };
}
