/**
 * Settles as `work` does, or as `late` does when `work` has not settled within `timeout` milliseconds: the result of
 * `late` takes its place, or the error that it throws. What `work` comes to afterwards is dropped.
 */
export async function within<T, L = never>(
  timeout: number,
  work: PromiseLike<T> | T,
  late: () => L,
  { keepsAlive = true }: { keepsAlive?: boolean } = {},
): Promise<T | L> {
  const { promise, resolve, reject } = Promise.withResolvers<L>();
  const timer = setTimeout(() => {
    try {
      resolve(late());
    } catch (error) {
      reject(error);
    }
  }, timeout);
  // A process that has nothing else to do may end before.
  if (!keepsAlive) timer.unref();
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
