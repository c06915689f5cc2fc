// Hosts that hand no results over: the directive alone ends the source.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { type ExecutionResult, parse, subscribe } from 'graphql';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { authDirective } from '../../../src/graphql/auth-directive/index.ts';
import { createContext } from '../../../src/graphql/context.ts';
import { accountsModule } from '../../../src/graphql/module.ts';
import type { AccountsServerOptions } from '../../../src/index.ts';
import { countQueries, createAccounts } from '../../accounts.ts';
import { createFeed, freezeIntervals, INTERVALS, intervals, Source } from './feed.ts';

beforeEach(freezeIntervals);
afterEach(() => void vi.useRealTimers());

async function start(field: string, options: Partial<AccountsServerOptions> = {}, token?: string | null) {
  const feed = await createFeed(options);
  const bearer = token === undefined ? feed.tokens.accessToken : token;
  const headers = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
  const open = async (schema = feed.schema) => {
    const contextValue = await createContext(feed.server)({ headers } as never);
    const document = parse(`subscription { ${field} }`);
    return (await subscribe({ schema, document, contextValue })) as AsyncGenerator<
      ExecutionResult,
      void,
      void
    > &
      ExecutionResult;
  };
  return { ...feed, open, results: await open() };
}

const codesOf = ({ errors = [] }: ExecutionResult) => errors.map(({ extensions }) => extensions.code);

describe('S52 on a host with the directive alone, a subscription', () => {
  test('ends with its session: with one error and no data, and its source has been stopped', async () => {
    const { results, mine, server, tokens } = await start('mine');
    mine.send(1);
    expect((await results.next()).value).toEqual({ data: { mine: 1 } });
    const waiting = results.next();
    await server.logout(tokens.accessToken);
    await intervals(1);
    const { value } = await waiting;
    expect(value).toMatchObject({ data: { mine: null } });
    expect(codesOf(value as ExecutionResult)).toEqual(['UNAUTHENTICATED']);
    expect(await results.next()).toEqual({ done: true, value: undefined });
    expect(mine.returned).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('ends also when its source hangs', async () => {
    const { results, server, userId } = await start('hanging');
    const waiting = results.next();
    await server.deactivateUser(userId);
    await intervals(1);
    expect(codesOf((await waiting).value as ExecutionResult)).toEqual(['UNAUTHENTICATED']);
  });

  test('ends with SERVICE_UNAVAILABLE when nobody knows', async () => {
    const db = memoryDatabase();
    const { results } = await start('mine', { db });
    const waiting = results.next();
    vi.spyOn(db.sessions, 'findMany').mockRejectedValue(new Error('down'));
    await intervals(INTERVALS);
    expect(codesOf((await waiting).value as ExecutionResult)).toEqual(['SERVICE_UNAVAILABLE']);
  });

  test('S51 is refused before its source starts, and then nothing is watched', async () => {
    const { results, mine } = await start('mine', {}, null);
    expect(codesOf(results)).toEqual(['UNAUTHENTICATED']);
    expect(mine.started).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is watched once, also where the directive was applied twice', async () => {
    const { open, results, schema, server } = await start('mine');
    await results.return();
    const watch = vi.spyOn(server, 'watchSession');
    const twice = authDirective().authDirectiveTransformer(schema);
    const sourceOf = (one: typeof schema) => one.getSubscriptionType()?.getFields().mine?.subscribe;
    expect(sourceOf(twice)).toBe(sourceOf(schema));
    const again = await open(twice);
    expect(watch).toHaveBeenCalledTimes(1);
    await again.return();
  });

  test('is watched no longer when its reader has gone', async () => {
    const { results, mine } = await start('mine');
    expect(vi.getTimerCount()).toBe(1);
    await results.return();
    expect(vi.getTimerCount()).toBe(0);
    expect(mine.returned).toBe(1);
  });

  test('of an anonymous reader of what is not protected costs nothing, and is not ended', async () => {
    const { counted, queries } = countQueries(memoryDatabase());
    const { results, everybodys } = await start('everybodys', { db: counted }, null);
    const waiting = results.next();
    queries.length = 0;
    expect(vi.getTimerCount()).toBe(0);
    await intervals(INTERVALS);
    everybodys.send(5);
    expect((await waiting).value).toEqual({ data: { everybodys: 5 } });
    expect(queries).toEqual([]);
  });
});

test('S51 S52 a subscription that is open to everybody ends with the session too: what lies below it may not be', async () => {
  const { server, signUp, logIn } = createAccounts();
  const events = new Source<object>();
  const { typeDefs, resolvers } = accountsModule(server);
  const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
  const SDL = 'type Subscription { posts: Post } type Post { open: String, kept: String @auth }';
  const schema = authDirectiveTransformer(
    makeExecutableSchema({
      typeDefs: [typeDefs, authDirectiveTypeDefs, SDL],
      resolvers: [
        resolvers,
        { Subscription: { posts: { subscribe: events.begin, resolve: (post) => post } } },
      ],
    }),
  );
  const { posts } = schema.getSubscriptionType()?.getFields() ?? {};
  const again = authDirectiveTransformer(schema).getSubscriptionType()?.getFields().posts;
  expect([again?.subscribe, again?.resolve]).toEqual([posts?.subscribe, posts?.resolve]);
  await signUp({ username: 'ada' });
  const { tokens } = await logIn('ada');
  const headers = { authorization: `Bearer ${tokens.accessToken}` };
  const contextValue = await createContext(server)({ headers } as never);
  const document = parse('subscription { posts { kept } }');
  const results = (await subscribe({ schema, document, contextValue })) as AsyncGenerator<
    ExecutionResult,
    void,
    void
  >;
  events.send({ kept: 'mine' });
  expect((await results.next()).value).toEqual({ data: { posts: { kept: 'mine' } } });
  await server.logout(tokens.accessToken);
  await intervals(1);
  events.send({ kept: 'not for whoever was thrown out' });
  const { value } = await results.next();
  expect(value).toMatchObject({ data: { posts: null } });
  expect(codesOf(value as ExecutionResult)).toEqual(['UNAUTHENTICATED']);
  expect((await results.next()).done).toBe(true);
  expect(events.returned).toBe(1);
});

describe('S52 a stream whose context is old when it begins', () => {
  /** A source that takes its time to begin, or one context for a whole socket. */
  async function startLate(options: Partial<AccountsServerOptions> = {}) {
    const feed = await createFeed(options);
    const headers = { authorization: `Bearer ${feed.tokens.accessToken}` };
    const contextValue = await createContext(feed.server)({ headers } as never);
    const looks = vi.spyOn(feed.server, 'resumeLiveSession');
    const now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now + 60_000);
    onTestFinished(() => clock.mockRestore());
    const begin = async (field = 'mine') =>
      (await subscribe({
        ...{ schema: feed.schema, contextValue },
        document: parse(`subscription { ${field} }`),
      })) as AsyncGenerator<ExecutionResult, void, void>;
    return { ...feed, begin, looks };
  }

  test.each(['mine', 'everybodys'])('gives nothing of %s when the session has ended since', async (field) => {
    const { begin, server, tokens, mine, everybodys } = await startLate();
    await server.logout(tokens.accessToken);
    for (const source of [mine, everybodys]) source.send(1);
    const results = await begin(field);
    const { value } = await results.next();
    expect(value).toMatchObject({ data: { [field]: null } });
    expect(codesOf(value as ExecutionResult)).toEqual(['UNAUTHENTICATED']);
    expect((await results.next()).done).toBe(true);
    expect(mine.returned + everybodys.returned).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('goes on when it has not', async () => {
    const { begin, mine, looks } = await startLate();
    const results = await begin();
    mine.send(1);
    mine.send(2);
    for (const event of [1, 2]) expect((await results.next()).value).toEqual({ data: { mine: event } });
    expect(looks).toHaveBeenCalledTimes(1);
    await results.return();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is looked up once more, and one whose context is new is not', async () => {
    const { open, results, server, mine } = await start('mine');
    await results.return();
    const looks = vi.spyOn(server, 'resumeLiveSession');
    const again = await open();
    mine.send(1);
    expect((await again.next()).value).toEqual({ data: { mine: 1 } });
    expect(looks).not.toHaveBeenCalled();
    await again.return();
  });

  test('asks nothing of the source when its reader has gone meanwhile', async () => {
    const { begin, mine } = await startLate();
    const asked = vi.spyOn(mine, 'next');
    const results = await begin();
    const waiting = results.next();
    await results.return();
    expect((await waiting).done).toBe(true);
    await intervals(1);
    expect(asked).not.toHaveBeenCalled();
    expect(mine.returned).toBe(1);
  });

  test('S23 asks nobody in stateless mode', async () => {
    const { begin, looks, mine } = await startLate({ useStatelessSession: true });
    const results = await begin();
    mine.send(1);
    expect((await results.next()).value).toEqual({ data: { mine: 1 } });
    expect(looks).not.toHaveBeenCalled();
    await results.return();
  });
});
