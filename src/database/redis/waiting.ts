import type { RedisClient, SecondConnection } from './client.ts';

/** What a server may need for its answer beyond the wait for its replicas, in milliseconds. */
const ANSWER = 2_000;

interface Change {
  command: unknown[];
  /** How many replicas have to have it. */
  replicas: number;
  resolve(reply: unknown): void;
  reject(error: unknown): void;
}

/**
 * Sends changes to one server and waits until replicas have them. WAIT is for all that the server had done when it
 * answered the command before on the same connection, so also for a change that a script found done already: it may be
 * that of a caller who was refused, and has come again. It holds up its connection: whatever comes meanwhile goes
 * together, with one WAIT, so that nothing queues for longer than two of them take, also while a replica hangs.
 */
export function waitingFor(second: SecondConnection, patience: number) {
  let next: Change[] = [];
  let isBusy = false;

  const send = async (changes: readonly Change[]): Promise<void> => {
    const replicas = Math.max(...changes.map((change) => change.replicas));
    const commands = [...changes.map(({ command }) => command), ['wait', replicas, patience]];
    const replies = await answered(second, patience + ANSWER, (client) => client.pipeline(commands).exec());
    const [waitError, confirmed] = replies?.at(-1) ?? [new Error('Redis has not answered')];
    for (const [n, change] of changes.entries()) {
      const [error, reply] = replies?.[n] ?? [null];
      if (error ?? waitError) change.reject(error ?? waitError);
      else if (Number(confirmed) < change.replicas) change.reject(unconfirmed(confirmed, change, patience));
      else change.resolve(reply);
    }
  };

  const sendAll = async (): Promise<void> => {
    isBusy = true;
    while (next.length > 0) {
      const changes = next;
      next = [];
      await send(changes).catch((error: unknown) => {
        for (const { reject } of changes) reject(error);
      });
    }
    isBusy = false;
  };

  return (command: unknown[], replicas: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      next.push({ command, replicas, resolve, reject });
      if (!isBusy) void sendAll();
    });
}

/** A connection that has been idle may have been cut without a word; the one after it is not. */
async function answered<T>(
  second: SecondConnection,
  deadline: number,
  ask: (client: RedisClient) => Promise<T>,
): Promise<T> {
  const client = second.open();
  let late: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    late = setTimeout(() => {
      second.drop(client);
      reject(new Error(`Redis: no answer to a change within ${deadline} ms`));
    }, deadline);
  });
  try {
    return await Promise.race([ask(client), tooLate]);
  } finally {
    clearTimeout(late);
  }
}

function unconfirmed(confirmed: unknown, { replicas }: Change, patience: number): Error {
  return new Error(
    `Redis: ${confirmed} of ${replicas} replicas have confirmed a change within ${patience} ms; see ROLE of the primary`,
  );
}
