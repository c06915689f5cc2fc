/**
 * Look-ups that arrive within one turn of the event loop become one. `find` gets each id once and answers in order.
 *
 * Turns, not microtasks: requests that were read from several sockets in one turn run in separate tasks.
 */
export function batched<T>(
  find: (ids: readonly string[]) => Promise<readonly T[]>,
): (id: string) => Promise<T> {
  let waiting: Map<string, PromiseWithResolvers<T>> | null = null;

  const flush = async (batch: Map<string, PromiseWithResolvers<T>>): Promise<void> => {
    try {
      const found = await find([...batch.keys()]);
      [...batch.values()].forEach(({ resolve }, index) => void resolve(found[index] as T));
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
    }
  };

  return (id) => {
    if (!waiting) {
      const batch = new Map<string, PromiseWithResolvers<T>>();
      waiting = batch;
      setImmediate(() => {
        waiting = null;
        void flush(batch);
      });
    }
    const known = waiting.get(id) ?? Promise.withResolvers<T>();
    waiting.set(id, known);
    return known.promise;
  };
}
