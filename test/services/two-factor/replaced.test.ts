import { expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { IdentityRecord } from '../../../src/database/ports.ts';
import { codeAt, codeIn, createTwoFactor, STEP } from './accounts.ts';

test('S33 a login that stalls at its last write does not bring a replaced secret back', async () => {
  const db = memoryDatabase();
  const stalled = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let stalls = false;
  const update = async (identity: IdentityRecord): Promise<boolean> => {
    if (stalls) {
      stalls = false;
      stalled.resolve();
      await released.promise;
    }
    return db.identities.update(identity);
  };
  const accounts = createTwoFactor({ options: { db: { ...db, identities: { ...db.identities, update } } } });
  const { token, secret, code } = await accounts.enrolled('ada');
  stalls = true;
  const late = accounts.logIn('ada', { code: code() });
  await stalled.promise;
  expect(codeIn(await accounts.unset(token, codeAt(secret, accounts.clock.now() + STEP)))).toBe(null);
  const next = await accounts.newSecret(token);
  expect(codeIn(await accounts.set(token, codeAt(next, accounts.clock.now())))).toBe(null);
  released.resolve();
  expect((await late).code).not.toBe(null);
  accounts.clock.pass(2 * STEP);
  const outcomeOf = async (of: string) =>
    (await accounts.logIn('ada', { code: codeAt(of, accounts.clock.now()) })).code;
  expect(await outcomeOf(secret)).toBe('INVALID_CODE');
  expect(await outcomeOf(next)).toBe(null);
});
