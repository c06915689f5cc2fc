import type { RedisClient } from './client.ts';
import type { Script } from './scripts.ts';

const MAX_TRIES = 3;

/**
 * The reply of a script. A server that does not know it is given its source: it forgets all scripts when it starts.
 * Not by `defineCommand`, which would leave commands of ours on the host's client.
 */
export async function run(
  client: RedisClient,
  script: Script,
  key: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(script.sha, 1, key, ...args);
  } catch (error) {
    if (!startsWith(error, 'NOSCRIPT')) throw error;
    return client.eval(script.source, 1, key, ...args);
  }
}

/** The replies of commands that go to one server in one piece. Throws the first error among them. */
export async function together(client: RedisClient, commands: unknown[][]): Promise<unknown[]> {
  const replies = (await client.pipeline(commands).exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}

/** Tries again when the key has moved to another node: ioredis follows it for one command, not for several. */
export async function followingMoves<T>(
  client: RedisClient,
  key: string,
  send: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if (attempt === MAX_TRIES || !(startsWith(error, 'MOVED') || startsWith(error, 'ASK'))) throw error;
      await client.exists(key);
    }
  }
}

function startsWith(error: unknown, word: string): boolean {
  return error instanceof Error && error.message.startsWith(`${word} `);
}
