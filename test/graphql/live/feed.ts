import { setImmediate as turn } from 'node:timers/promises';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { vi } from 'vitest';
import { authDirective } from '../../../src/graphql/auth-directive/index.ts';
import type { AccountsContext } from '../../../src/graphql/context.ts';
import { accountsModule } from '../../../src/graphql/module.ts';
import type { AccountsServerOptions } from '../../../src/index.ts';
import { createAccounts } from '../../accounts.ts';

const INTERVAL = 1_500;

/** Of those that begin within five seconds of a revocation, the last. */
export const INTERVALS = 3;

/** Time passes for what watches sessions, and for nothing else. */
export function freezeIntervals(): void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
}

/** Lets intervals begin, each with time for its check. */
export async function intervals(count: number): Promise<void> {
  for (let begun = 0; begun < count; begun++) {
    vi.advanceTimersByTime(INTERVAL);
    for (let turns = 0; turns < 10; turns++) await turn();
  }
}

/** Waits for what another side of a socket does. */
export async function eventually(is: () => boolean): Promise<void> {
  while (!is()) await turn();
}

/** A source of events that the test sends, and that tells what is done to it. */
export class Source<T> implements AsyncIterableIterator<T, undefined> {
  started = 0;
  returned = 0;
  #events: T[] = [];
  #waiting: ((result: IteratorResult<T, undefined>) => void)[] = [];

  readonly begin = (): this => {
    this.started++;
    return this;
  };

  send(event: T): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting({ done: false, value: event });
    else this.#events.push(event);
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const [event] = this.#events.splice(0, 1);
    if (event !== undefined) return { done: false, value: event };
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.returned++;
    return this.end();
  }

  end(): IteratorReturnResult<undefined> {
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const SDL = /* GraphQL */ `
  type Query {
    hello: String
    whoAmI: String @auth
    ip: String
  }
  type Subscription {
    mine: Int @auth
    everybodys: Int
    hanging: Int @auth
  }
`;

/** An API with subscriptions, and somebody who is logged in to it. */
export async function createFeed(options: Partial<AccountsServerOptions> = {}) {
  const accounts = createAccounts(options);
  const mine = new Source<number>();
  const everybodys = new Source<number>();
  const { typeDefs, resolvers } = accountsModule(accounts.server);
  const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
  const itself = (event: number): number => event;
  const schema = authDirectiveTransformer(
    makeExecutableSchema({
      typeDefs: [typeDefs, authDirectiveTypeDefs, SDL],
      resolvers: [
        resolvers,
        {
          Query: {
            hello: () => 'world',
            ip: (_: unknown, __: unknown, { connection }: AccountsContext) => connection.ip,
            whoAmI: (_: unknown, __: unknown, { userId }: { userId: string | null }) => userId,
          },
          Subscription: {
            mine: { subscribe: async () => mine.begin(), resolve: itself },
            everybodys: { subscribe: everybodys.begin, resolve: itself },
            // The worst that there is: it waits, and hears of nothing meanwhile.
            hanging: {
              async *subscribe() {
                await new Promise(() => undefined);
                yield 1;
              },
              resolve: itself,
            },
          },
        },
      ],
    }),
  );
  const userId = await accounts.signUp({ username: 'ada' });
  const { tokens, sessionId } = await accounts.logIn('ada');
  return { ...accounts, schema, mine, everybodys, userId, tokens, sessionId };
}
