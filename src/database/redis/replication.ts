import { type RedisClient, secondConnection } from './client.ts';
import { followingMoves, run, together } from './run.ts';
import type { Script } from './scripts.ts';
import { waitingFor } from './waiting.ts';

export interface Replication {
  /** How many replicas have to have a change, or all that are connected. */
  replicas: number | 'connected';
  /** For how long they have, in milliseconds. */
  patience: number;
}

/** Runs a script that must not be forgotten by a server that takes over. Throws when it may be. */
export type RunConfirmed = (
  script: Script,
  key: string,
  args: readonly (string | number)[],
) => Promise<unknown>;

/**
 * A primary answers before its replicas know, and a replica that is promoted then has never heard of a revocation:
 * whoever was logged out would be logged in again. So they are waited for, on a connection that no look-up uses.
 */
export function confirmedBy(client: RedisClient, { replicas, patience }: Replication): RunConfirmed {
  const second = secondConnection(client);
  const waiting = new Map<string, ReturnType<typeof waitingFor>>();
  const waitingOn = (node: string): ReturnType<typeof waitingFor> => {
    const known = waiting.get(node);
    if (known) return known;
    const made = waitingFor(second, patience);
    waiting.set(node, made);
    return made;
  };

  return async (script, key, args) => {
    if (replicas === 0) return run(client, script, key, args);
    const { node, connected } = await primaryOf(client, key);
    const wanted = replicas === 'connected' ? connected : replicas;
    if (wanted === 0) return run(client, script, key, args);
    // Not by its hash: the reply that it is unknown would come after the others of the same WAIT.
    const command = ['eval', script.source, 1, key, ...args];
    return followingMoves(second.open(), key, () => waitingOn(node)(command, wanted));
  };
}

/** Which node of a cluster has the key, and how many replicas it has now. */
async function primaryOf(client: RedisClient, key: string): Promise<{ node: string; connected: number }> {
  const questions = [['exists', key], ['role'], ...(client.isCluster ? [['cluster', 'MYID']] : [])];
  const [, role, node] = await followingMoves(client, key, () => together(client, questions));
  const [kind, , replicas] = Array.isArray(role) ? role : [];
  // A replica refuses the change itself.
  const connected = kind === 'master' && Array.isArray(replicas) ? replicas.length : 0;
  return { node: String(node), connected };
}
