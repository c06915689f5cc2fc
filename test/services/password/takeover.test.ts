import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { AccountsDatabase } from '../../../src/database/ports.ts';
import { codeOf, createAccounts, fastHashes, PASSWORD } from '../../accounts.ts';

const NEW = 'another good password';

/** A gate in a store: what comes through waits until it is opened. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const pass = async (): Promise<void> => {
    reached.resolve();
    await promise;
  };
  return { pass, open: resolve, reached: reached.promise };
}

describe('S39 a stranger who signed up first with the address of somebody else', () => {
  test('keeps no address that was verified while the owner resets', async () => {
    const { pass, open, reached } = gate();
    let gated = false;
    const hashPassword = async (typed: string) => {
      if (gated && typed === NEW) await pass();
      return fastHashes.hashPassword(typed);
    };
    const { service, server, signUp, linkTo } = createAccounts({}, { ...fastHashes, hashPassword });
    const id = await signUp({ email: 'victim@example.com' });
    await service.addEmail(id, 'stranger@example.com');
    const strangers = await linkTo('stranger@example.com', 'verify-email');
    await service.sendResetPasswordEmail('victim@example.com');
    const owners = await linkTo('victim@example.com', 'reset-password');
    gated = true;
    const reset = service.resetPassword(owners, NEW);
    await reached;
    await service.verifyEmail(strangers);
    open();
    await reset;
    expect((await server.findUserById(id))?.emails).toEqual([
      { address: 'victim@example.com', verified: true },
    ]);
    expect(await service.findUserByEmail('stranger@example.com')).toBeNull();
  });

  test('cannot take the address off that the reset has just proved', async () => {
    const { service, server, signUp, linkTo } = createAccounts();
    const id = await signUp({ email: 'victim@example.com', username: 'stranger' });
    await service.sendResetPasswordEmail('victim@example.com');
    const link = await linkTo('victim@example.com', 'reset-password');
    const [removed, reset] = await Promise.all([
      codeOf(service.removeEmail(id, 'victim@example.com')),
      codeOf(service.resetPassword(link, NEW)),
    ]);
    expect(removed).toBe('not refused');
    const emails = (await server.findUserById(id))?.emails;
    // Either it was off before the link was looked up, or the reset stands with its address.
    expect(emails).toEqual(
      reset === 'not refused' ? [{ address: 'victim@example.com', verified: true }] : [],
    );
  });
});

describe('S29 a thief who asked for a link to a mailbox of their own', () => {
  for (const what of ['changePassword', 'setPassword', 'deactivateUser'] as const) {
    test(`has nothing of it when ${what} comes in between, in another process`, async () => {
      const db = memoryDatabase();
      const { pass, open, reached } = gate();
      const insert: AccountsDatabase['identities']['insert'] = async (identity) => {
        if (identity.subject === 'thief@example.com') await pass();
        return db.identities.insert(identity);
      };
      const gated = { ...db, identities: { ...db.identities, insert } };
      const other = createAccounts({ db });
      const { service, clock } = createAccounts({ db: gated, now: other.clock.now });
      const id = await other.signUp({ email: 'owner@example.com' });
      await other.service.addEmail(id, 'thief@example.com');
      const link = await other.linkTo('thief@example.com', 'verify-email');
      const verification = codeOf(service.verifyEmail(link));
      await reached;
      if (what === 'changePassword') await other.service.changePassword(id, PASSWORD, NEW);
      else if (what === 'setPassword') await other.service.setPassword(id, NEW);
      else await other.server.deactivateUser(id);
      open();
      expect(await verification).toBe('INVALID_TOKEN');
      expect((await other.server.findUserById(id))?.emails.at(-1)?.verified).toBe(false);
      expect(await other.service.findUserByEmail('thief@example.com')).toBeNull();
      expect(clock).toBeTruthy();
    });
  }

  test('does not void the links of the owner by adding and removing an address', async () => {
    const { service, signUp, linkTo } = createAccounts();
    const id = await signUp({ email: 'owner@example.com' });
    await service.sendResetPasswordEmail('owner@example.com');
    const link = await linkTo('owner@example.com', 'reset-password');
    await service.addEmail(id, 'junk@example.com');
    await service.removeEmail(id, 'junk@example.com');
    await service.resetPassword(link, NEW);
  });
});

test('S19 the sessions of a former password end also when the store fails just after the new one is in', async () => {
  const db = memoryDatabase();
  let failures = 0;
  let revocations = 0;
  const revokeAll: AccountsDatabase['sessions']['revokeAll'] = async (...args) => {
    if (++revocations === 2) {
      failures++;
      throw new Error('the connection was lost');
    }
    return db.sessions.revokeAll(...args);
  };
  const other = createAccounts({ db });
  const id = await other.signUp({ email: 'owner@example.com' });
  // A login by the old password in another process, after the first revocation.
  const update: AccountsDatabase['identities']['update'] = async (identity) => {
    if (identity.service === 'password') await other.logIn('owner@example.com');
    expect(await db.sessions.findByUser(id)).toHaveLength(1);
    return db.identities.update(identity);
  };
  const failing = {
    ...db,
    sessions: { ...db.sessions, revokeAll },
    identities: { ...db.identities, update },
  };
  const { service, server } = createAccounts({ db: failing, now: other.clock.now });
  await service.changePassword(id, PASSWORD, NEW);
  await server.settled();
  expect(failures).toBe(1);
  expect(await db.sessions.findByUser(id)).toEqual([]);
});

describe('a flood of changes of one user', () => {
  test('S18 lets a deactivation go first', async () => {
    const { service, server, signUp } = createAccounts();
    const id = await signUp({ username: 'ada' });
    const done: string[] = [];
    const flood = Array.from({ length: 50 }, async (_, index) => {
      await codeOf(service.setUsername(id, `ada${index}`));
      done.push('change');
    });
    await server.deactivateUser(id);
    done.push('deactivation');
    await Promise.all(flood);
    expect(done.indexOf('deactivation')).toBeLessThan(25);
  });

  test('S57 is refused with BUSY beyond what may wait', async () => {
    const { service, signUp } = createAccounts();
    const id = await signUp({ username: 'ada' });
    const codes = await Promise.all(
      Array.from({ length: 300 }, (_, index) => codeOf(service.setUsername(id, `ada${index}`))),
    );
    expect(codes.filter((code) => code === 'BUSY').length).toBeGreaterThan(100);
    expect(codes).toContain('not refused');
  });
});
