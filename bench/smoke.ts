// What is so on every machine, however slow it is: counts of queries and hashes, and that nothing piles up.
import assert from 'node:assert/strict';
import { sqliteDatabase } from '../src/database/sqlite/index.ts';
import { AccountsServer, password, type Tracer } from '../src/index.ts';
import { countCalls } from './count-calls.ts';
import { GET_USER, graphqlRequest, PASSWORD, TYPENAME } from './requests.ts';
import type { World } from './world.ts';

const REQUESTS = 1_000;
const IN_FLIGHT = 50;

/** Throws an AssertionError for the first count that is not as it should be. */
export async function smoke(world: World): Promise<void> {
  await requests(world);
  await sessions();
  await hashes();
}

/** Over HTTP, in a process of its own. */
async function requests({ load, options: { none } }: World): Promise<void> {
  const { server, tokens } = none;
  const ask = async (messages: string[], expect: string): Promise<void> => {
    const order = { ports: [server.port], connections: IN_FLIGHT, requests: REQUESTS, messages, expect };
    assert.equal((await load.run(order)).wrong, 0, 'every answer is right');
  };
  const anonymous = () => ask([graphqlRequest(TYPENAME)], '"Query"');
  const known = () =>
    ask(
      tokens.map(({ accessToken }) => graphqlRequest(GET_USER, accessToken)),
      '"getUser":{"id"',
    );
  await known();
  const before = await server.ask('resources');
  await server.ask('calls');
  await anonymous();
  assert.equal(await server.ask('calls'), 0, 'a request without a token asks the store nothing');
  await known();
  const calls = await server.ask<number>('calls');
  // One read of all sockets is one batch; how many sockets that is, is up to the kernel.
  assert.ok(calls <= REQUESTS / 2, `look-ups of ${IN_FLIGHT} in flight are batched: ${calls} of ${REQUESTS}`);
  assert.deepEqual(await server.ask('resources'), before, 'listeners and timers stay as many as they were');
  console.log(`Queries: 0 of ${REQUESTS} anonymous requests, ${calls} of ${REQUESTS} authenticated ones.`);
}

/** Of one process: fifty that come at once are one query. */
async function sessions(): Promise<void> {
  const db = sqliteDatabase(':memory:');
  await db.migrate?.();
  const { counted, calls } = countCalls(db);
  const server = new AccountsServer(
    { db: counted, tokenSecret: 'a secret of the benchmark, long enough', rateLimits: false },
    { password: password({ hashPassword: async (typed) => typed, verifyPassword: async () => true }) },
  );
  const tokens: string[] = [];
  for (let n = 0; n < IN_FLIGHT; n++) {
    await server.services.password.createUser({ username: `user${n}`, password: PASSWORD });
    const login = await server.loginWithService('password', { user: `user${n}`, password: PASSWORD });
    tokens.push(login.tokens.accessToken);
  }
  calls();
  await Promise.all(tokens.map((token) => server.resumeSession(token)));
  assert.equal(calls(), 1, `${IN_FLIGHT} sessions at once are one query`);
  await db.close?.();
}

/** Of one login, whoever it is that logs in. */
async function hashes(): Promise<void> {
  const db = sqliteDatabase(':memory:');
  await db.migrate?.();
  let hashed = 0;
  const tracer: Tracer = {
    startActiveSpan(name, _options, work) {
      if (name === 'accounts.hash') hashed++;
      return work({ setAttribute: () => {}, setStatus: () => {}, end: () => {} });
    },
  };
  const server = new AccountsServer(
    { db, tracer, tokenSecret: 'a secret of the benchmark, long enough', rateLimits: false },
    { password: password() },
  );
  await server.services.password.createUser({ email: 'ada@example.com', password: PASSWORD });
  const logIn = async (email: string, typed: string): Promise<number> => {
    hashed = 0;
    await server.loginWithService('password', { user: { email }, password: typed }).catch(() => {});
    return hashed;
  };
  assert.equal(await logIn('ada@example.com', PASSWORD), 1, 'a login is one hash');
  assert.equal(await logIn('ada@example.com', 'another password'), 1, 'a wrong password is one hash');
  assert.equal(await logIn('nobody@example.com', PASSWORD), 1, 'an unknown user is one hash (S8)');
  await db.close?.();
  console.log('Hashes: 1 of a login, 1 of a wrong password, 1 of an unknown user.');
}
