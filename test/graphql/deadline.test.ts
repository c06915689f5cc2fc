import { expect, test } from 'vitest';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import { outcomeAfter, slow, useSteppedTimers } from '../slow.ts';
import { codeIn, createGateway } from './gateway.ts';

useSteppedTimers();

const CHANGE = `mutation { changePassword(oldPassword: "correct horse battery staple", newPassword: "another passphrase") }`;

async function start(operationTimeout: number) {
  const { state, database } = slow(memoryDatabase());
  const gateway = createGateway({ db: database, storeTimeout: 400, operationTimeout });
  await gateway.signUp({ email: 'ada@example.com' });
  const { tokens } = await gateway.logIn('ada@example.com');
  return { ...gateway, token: tokens.accessToken, state };
}

for (const [name, query] of [
  ['getUser', '{ getUser { id } }'],
  ['a field with @auth', '{ secret }'],
  ['a mutation', CHANGE],
] as const) {
  test(`S55 ${name} is SERVICE_UNAVAILABLE in time when the look-up of the session is slow at every call`, async () => {
    const { ask, token, state } = await start(500);
    state.delay = 350;
    const code = ask(query, { token }).then(codeIn);
    expect(await outcomeAfter(470, code)).toBe('pending');
    expect(await outcomeAfter(60, code)).toBe('SERVICE_UNAVAILABLE');
  });
}

test('S55 an operation and the look-up before it end in time together', async () => {
  const { ask, token, state } = await start(900);
  state.delay = 350;
  // 700 ms for the session, and 350 for the first call of the operation.
  const code = ask(CHANGE, { token }).then(codeIn);
  expect(await outcomeAfter(860, code)).toBe('pending');
  expect(await outcomeAfter(80, code)).toBe('SERVICE_UNAVAILABLE');
});
