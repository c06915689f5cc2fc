/**
 * Three kinds of keys: of each session, whose it is; of each user, a hash of all sessions; of each counter, what it has
 * come to. Nothing needs two keys at once, so a cluster may hold each where it likes, whatever an id looks like.
 */
export interface Keys {
  session(id: string): string;
  user(userId: string): string;
  counter(key: string): string;
  /** Of a session in the hash of its user, where `cursor` is a field of our own. */
  field(id: string): string;
}

export function keysWith(prefix: string): Keys {
  return {
    session: (id) => `${prefix}:session:${id}`,
    user: (userId) => `${prefix}:user:${userId}`,
    counter: (key) => `${prefix}:counter:${key}`,
    field: (id) => `:${id}`,
  };
}
