import { describe, expect, test } from 'vitest';
import {
  aCounter,
  anIdentity,
  aSession,
  aToken,
  aUser,
  HOUR,
  NOW,
} from '../../src/database/conformance/records.ts';
import { mongooseDatabase } from '../../src/database/mongoose/index.ts';
import { SCHEMA } from '../../src/database/mongoose/schema.ts';
import { createGateway } from '../graphql/gateway.ts';
import { HAS_MONGO } from '../servers/mongo.ts';
import { commandsOf, onMongo } from './mongoose-databases.ts';

type Filter = { readonly [field: string]: unknown };

/** By what each command looks for documents. */
function filtersOf({ filter, query, updates, deletes }: { readonly [field: string]: unknown }): Filter[] {
  const parts = [...((updates ?? deletes ?? []) as { q: Filter }[])].map(({ q }) => q);
  return [...parts, ...[filter, query].filter((part): part is Filter => part !== undefined)];
}

describe.skipIf(!HAS_MONGO)('the queries of mongooseDatabase', () => {
  const mongo = onMongo();

  const open = async () => {
    const connection = await mongo.connect({ monitorCommands: true });
    const db = mongooseDatabase(connection);
    await db.migrate?.();
    return { db, commands: commandsOf(connection) };
  };

  test('50 authenticated requests in flight cost at most 0.1 queries each', async () => {
    const { db, commands } = await open();
    const { signUp, logIn, ask } = createGateway({ db, now: Date.now });
    const people = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const id = await signUp({ email: `${n}@example.com` });
        const { tokens } = await logIn(`${n}@example.com`);
        return { id, token: tokens.accessToken };
      }),
    );
    commands.length = 0;
    const answers = await Promise.all(
      people.map(({ token }) => ask('{ whoAmI secret getUser { id } }', { token })),
    );
    expect(answers).toEqual(
      people.map(({ id }) => ({ data: { whoAmI: id, secret: 'the treasure', getUser: { id } } })),
    );
    expect(commands.map(({ commandName }) => commandName)).toEqual(['find', 'find']);
    expect(commands.length / people.length).toBeLessThanOrEqual(0.1);
  });

  test('a thousand ids are one command, whatever their number', async () => {
    const { db, commands } = await open();
    const ids = Array.from({ length: 1_000 }, (_, n) => `session ${n}`);
    await Promise.all(ids.map((id) => db.sessions.create(aSession(id, 'ada'))));
    commands.length = 0;
    expect((await db.sessions.findMany([...ids, ...ids])).every((session) => session !== null)).toBe(true);
    expect(await db.users.findMany([])).toEqual([]);
    expect(commands).toHaveLength(1);
  });

  test('every command looks for its documents by an index', async () => {
    const { db, commands } = await open();
    const { users, identities, sessions, oneTimeTokens, counters } = db;
    await users.create(aUser('ada'), [anIdentity('ada', 'a')]);
    await users.create(aUser('ada'), [anIdentity('ada', 'b')]);
    await users.create(aUser('bob'), [anIdentity('bob', 'a')]);
    await users.findMany(['ada', 'bob']);
    await users.update(aUser('ada'));
    await identities.insert(anIdentity('ada', 'b'));
    await identities.insert(anIdentity('ada', 'b'));
    await identities.find('email', 'a');
    await identities.findByUser('ada');
    await identities.update(anIdentity('ada', 'a'));
    await identities.remove('email', 'a', 1);
    for (const id of ['1', '2', '3']) await sessions.create(aSession(id, 'ada', { expiresAt: Number(id) }));
    await sessions.findMany(['1', '2']);
    await sessions.update(aSession('1', 'ada'));
    await sessions.revoke('1', 1);
    await sessions.revokeAll('ada', 1, ['2']);
    await sessions.findByUser('ada');
    await sessions.removeExpired(3);
    await oneTimeTokens.put(aToken('key', 'hash'));
    await oneTimeTokens.find('hash');
    await oneTimeTokens.consume('hash', 'reset-password');
    await oneTimeTokens.remove('key');
    await oneTimeTokens.removeByUser('ada');
    await oneTimeTokens.removeByUser('ada', 'reset-password');
    await oneTimeTokens.removeExpired(1);
    await counters?.add(aCounter('a'), NOW);
    await counters?.add(aCounter('a'), NOW);
    await counters?.put(aCounter('a', { expiresAt: 1 }));
    await counters?.find('a');
    await counters?.remove('a');
    await counters?.removeExpired(2);

    const scans = commands.flatMap(({ commandName, command }) => {
      const schema = Object.values(SCHEMA).find(({ collection }) => collection === command[commandName]);
      const leading = new Set([
        '_id',
        ...(schema?.indexes ?? []).flatMap(({ key }) => Object.keys(key).slice(0, 1)),
      ]);
      const isIndexed = (filter: Filter): boolean => Object.keys(filter).some((field) => leading.has(field));
      return filtersOf(command).filter((filter) => !isIndexed(filter));
    });
    expect(scans).toEqual([]);
    expect(commands.flatMap(({ command }) => filtersOf(command)).length).toBeGreaterThan(30);
  });

  test('a guess that is counted is one command, the first of a counter two', async () => {
    const { db, commands } = await open();
    const costs: number[] = [];
    // The first call of all asks for the version of the schema.
    await db.counters?.find('a');
    for (const now of [NOW, NOW, NOW + 2 * HOUR]) {
      commands.length = 0;
      await db.counters?.add(aCounter('a'), now);
      costs.push(commands.length);
    }
    expect(costs).toEqual([2, 1, 2]);
  });

  test('a session, the commonest look-up, and an identity are one command each', async () => {
    const { db, commands } = await open();
    await db.users.create(aUser('ada'), [anIdentity('ada', 'a')]);
    commands.length = 0;
    await db.identities.find('email', 'a');
    await db.users.findMany(['ada']);
    await db.sessions.findMany(['1']);
    expect(commands.map(({ commandName }) => commandName)).toEqual(['find', 'find', 'find']);
  });
});
