// Hosts that hand no results over: the directive alone ends the source.
import { type ExecutionResult, parse, subscribe } from 'graphql';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { authDirective } from '../../../src/graphql/auth-directive/index.ts';
import { createContext } from '../../../src/graphql/context.ts';
import type { AccountsServerOptions } from '../../../src/index.ts';
import { countQueries } from '../../accounts.ts';
import { createFeed, freezeIntervals, INTERVALS, intervals } from './feed.ts';

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
