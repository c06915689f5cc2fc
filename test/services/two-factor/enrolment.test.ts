import { generateKeyPairSync } from 'node:crypto';
import {
  GetTwoFactorSecretDocument,
  TwoFactorSetDocument,
  TwoFactorUnsetDocument,
} from '@accounts/graphql-client/lib/graphql-operations.js';
import { type DocumentNode, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createSecretBox } from '../../../src/core/secret-box.ts';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { AccountsDatabase } from '../../../src/database/ports.ts';
import { sqliteDatabase } from '../../../src/database/sqlite/index.ts';
import { AccountsServer, password, twoFactor } from '../../../src/index.ts';
import { codeOf, fastHashes, PASSWORD } from '../../accounts.ts';
import { newPath } from '../../database/fixtures/paths.ts';
import {
  type Accounts,
  codeAt,
  codeIn,
  createTwoFactor,
  MINUTE,
  STEP,
  tally,
  wrongCode,
} from './accounts.ts';

const STORES: { store: string; open: () => AccountsDatabase }[] = [
  { store: 'memory', open: memoryDatabase },
  { store: 'SQLite', open: () => sqliteDatabase(newPath()) },
];

async function loggedIn(accounts: Accounts = createTwoFactor(), name = 'ada') {
  const id = await accounts.signUp(name);
  const { accessToken } = await accounts.logIn(name);
  return { ...accounts, id, token: accessToken ?? '' };
}

const now = ({ clock }: Pick<Accounts, 'clock'>, secret: string) => codeAt(secret, clock.now());
const factorOf = ({ db }: Pick<Accounts, 'db'>, id: string) => db.identities.find('totp', id);

describe('a new secret', () => {
  test('is given in the forms of accounts-js, and none of them leads to somebody else', async () => {
    const { ask, token } = await loggedIn();
    const fields = 'ascii base32 hex qr_code_ascii qr_code_hex qr_code_base32 google_auth_qr otpauth_url';
    const { data } = await ask(`{ twoFactorSecret { ${fields} } }`, { token });
    const key = data?.twoFactorSecret as Record<string, string | null>;
    expect(key.base32).toMatch(/^[A-Z2-7]{32}$/);
    expect(key.hex).toMatch(/^[0-9a-f]{40}$/);
    expect(key).toMatchObject({ ascii: null, qr_code_ascii: null, qr_code_hex: null, qr_code_base32: null });
    const url = new URL(key.otpauth_url ?? '');
    expect(url.protocol).toBe('otpauth:');
    expect(decodeURIComponent(url.pathname)).toBe('/diary.example.com:ada@example.com');
    expect(url.searchParams.get('secret')).toBe(key.base32);
    expect(url.searchParams.get('issuer')).toBe('diary.example.com');
    const [, svg = ''] = key.google_auth_qr?.split('data:image/svg+xml;base64,') ?? [];
    expect(Buffer.from(svg, 'base64').toString()).toMatch(/^<svg .*<\/svg>$/s);
    for (const value of Object.values(key)) expect(value ?? '').not.toMatch(/^https?:/);
  });

  test.each([
    { name: 'Diary & Söhne', shown: 'Diary & Söhne' },
    { name: undefined, shown: 'diary.example.com' },
  ])('shows the application as $shown', async ({ name, shown }) => {
    const accounts = createTwoFactor({ twoFactorOptions: { appName: name } });
    const { ask, token } = await loggedIn(accounts);
    const { data } = await ask('{ twoFactorSecret { otpauth_url } }', { token });
    const { otpauth_url } = (data?.twoFactorSecret ?? {}) as { otpauth_url: string };
    expect(new URL(otpauth_url).searchParams.get('issuer')).toBe(shown);
  });

  test('S32 changes nothing until a code has proved it', async () => {
    const { newSecret, token, logIn, ask, db, id } = await loggedIn();
    const secret = await newSecret(token);
    expect((await logIn('ada')).code).toBe(null);
    expect((await ask('{ getUser { twoFactorEnabled } }', { token })).data).toEqual({
      getUser: { twoFactorEnabled: false },
    });
    const stored = JSON.stringify(await db.identities.findByUser(id));
    expect(stored).toContain('totp-pending');
    expect(stored).not.toContain(secret);
  });

  test('S32 waits for 15 minutes', async () => {
    const tokenConfigs = { accessToken: { expiresIn: '1h' } };
    const accounts = await loggedIn(createTwoFactor({ options: { tokenConfigs } }));
    const { newSecret, token, clock, verify, set } = accounts;
    const proved = () => verify('password', { user: { username: 'ada' }, password: PASSWORD }, token);
    const secret = await newSecret(token);
    clock.pass(14 * MINUTE);
    await proved();
    expect(codeIn(await set(token, wrongCode(secret, clock.now())))).toBe('INVALID_CODE');
    clock.pass(MINUTE);
    await proved();
    expect(codeIn(await set(token, now(accounts, secret)))).toBe('INVALID_CODE');
    const another = await newSecret(token);
    expect(codeIn(await set(token, now(accounts, another)))).toBe(null);
  });

  test('is another one each time, and those of several tabs may be proved', async () => {
    const accounts = await loggedIn();
    const { newSecret, token, set, logIn, clock } = accounts;
    const first = await newSecret(token);
    const second = await newSecret(token);
    expect(second).not.toBe(first);
    expect(codeIn(await set(token, now(accounts, first)))).toBe(null);
    clock.pass(STEP);
    expect((await logIn('ada', { code: now(accounts, second) })).code).toBe('INVALID_CODE');
    expect((await logIn('ada', { code: now(accounts, first) })).code).toBe(null);
  });

  test('waits with four others at the most, also when all are asked for at once', async () => {
    const accounts = await loggedIn();
    const { ask, token, db, id, set } = accounts;
    const aliases = Array.from({ length: 16 }, (_, n) => `a${n}: twoFactorSecret { base32 }`);
    const { data } = await ask(`{ ${aliases.join(' ')} }`, { token });
    const secrets = Object.values(data ?? {}).map((key) => (key as { base32: string }).base32);
    expect(new Set(secrets).size).toBe(16);
    expect((await db.identities.find('totp-pending', id))?.data.secrets).toHaveLength(5);
    const outcomes = [];
    for (const secret of secrets.slice(0, 3)) outcomes.push(codeIn(await set(token, now(accounts, secret))));
    expect(outcomes).toContain('INVALID_CODE');
  });

  test('is not given to whoever has a second factor already', async () => {
    const { enrolled, ask } = createTwoFactor();
    const { token } = await enrolled('ada');
    expect(codeIn(await ask('{ twoFactorSecret { base32 } }', { token }))).toBe('TWO_FACTOR_ALREADY_SET');
  });

  test.each([
    '{ twoFactorSecret { base32 } }',
    'mutation { twoFactorSet(code: "123456") }',
    'mutation { twoFactorUnset(code: "123456") }',
    'mutation { generateRecoveryCodes }',
  ])('strangers are refused: %s', async (query) => {
    expect(codeIn(await createTwoFactor().ask(query))).toBe('UNAUTHENTICATED');
  });
});

describe.each(STORES)('turning it on, on $store', ({ open }) => {
  const accountsHere = () => createTwoFactor({ options: { db: open() } });

  test('S32 takes the secret of the server, and ignores that of the client', async () => {
    const accounts = await loggedIn(accountsHere());
    const { ask, token, newSecret, clock, logIn } = accounts;
    const mine = 'MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK';
    const setWith = (code: string) =>
      ask(
        'mutation ($secret: TwoFactorSecretKeyInput, $code: String!) { twoFactorSet(secret: $secret, code: $code) }',
        {
          token,
          variables: { secret: { base32: mine, ascii: 'abcdefghijabcdefghij' }, code },
        },
      );
    expect(codeIn(await setWith(codeAt(mine, clock.now())))).toBe('INVALID_CODE');
    const secret = await newSecret(token);
    expect(codeIn(await setWith(codeAt(mine, clock.now())))).toBe('INVALID_CODE');
    expect((await setWith(now(accounts, secret))).data).toEqual({ twoFactorSet: true });
    clock.pass(STEP);
    expect((await logIn('ada', { code: codeAt(mine, clock.now()) })).code).toBe('INVALID_CODE');
    expect((await logIn('ada', { code: now(accounts, secret) })).code).toBe(null);
  });

  test.each(['{}', 'null', '{ base32: null }'])('the secret may be %s, or be left out', async (given) => {
    const accounts = await loggedIn(accountsHere());
    const { ask, token, newSecret } = accounts;
    const code = now(accounts, await newSecret(token));
    expect(
      (await ask(`mutation { twoFactorSet(secret: ${given}, code: "${code}") }`, { token })).data,
    ).toEqual({
      twoFactorSet: true,
    });
  });

  test('S19 ends the other sessions, keeps this one, and marks it as proved by two factors', async () => {
    const accounts = await loggedIn(accountsHere());
    const { token, logIn, newSecret, set, isLoggedIn, server, mailsTo, id, db } = accounts;
    const other = await logIn('ada');
    const events: string[] = [];
    server.on('TwoFactorSetSuccess', ({ user }) => events.push(user.id));
    expect(codeIn(await set(token, now(accounts, await newSecret(token))))).toBe(null);
    expect(await isLoggedIn(other.accessToken)).toBe(false);
    expect(await isLoggedIn(token)).toBe(true);
    const { session } = await server.resumeLiveSession(token);
    expect(session.amr).toEqual(['pwd', 'otp', 'mfa']);
    expect(events).toEqual([id]);
    expect(await mailsTo('ada')).toEqual(['Your second factor has been turned on']);
    expect(await db.identities.find('totp-pending', id)).toBe(null);
  });

  test('of 16 at once one succeeds', async () => {
    const accounts = await loggedIn(accountsHere());
    const { token, logIn, newSecret, set, id, isLoggedIn, clock } = accounts;
    const others = await Promise.all(Array.from({ length: 3 }, () => logIn('ada')));
    const tokens = [token, ...others.map(({ accessToken }) => accessToken ?? '')];
    const code = now(accounts, await newSecret(token));
    const answers = await Promise.all(Array.from({ length: 16 }, (_, n) => set(tokens[n % 4] ?? '', code)));
    expect(tally(answers.map(codeIn)).null).toBe(1);
    expect(await factorOf(accounts, id)).not.toBe(null);
    const alive = await Promise.all(tokens.map((each) => isLoggedIn(each)));
    expect(alive.filter(Boolean)).toHaveLength(1);
    clock.pass(STEP);
    expect((await logIn('ada')).code).toBe('TWO_FACTOR_REQUIRED');
  });

  test('S19 ends a session, too, that was begun while it was turned on', async () => {
    const db = open();
    let meanwhile: Promise<{ accessToken: string | null }> | undefined;
    const insert: AccountsDatabase['identities']['insert'] = async (identity) => {
      if (identity.service === 'totp') {
        meanwhile = accounts.logIn('ada');
        await meanwhile;
      }
      return db.identities.insert(identity);
    };
    const accounts = createTwoFactor({
      options: { db: { ...db, identities: { ...db.identities, insert } } },
    });
    const { newSecret, token, set, isLoggedIn } = await loggedIn(accounts);
    expect(codeIn(await set(token, now(accounts, await newSecret(token))))).toBe(null);
    const { accessToken } = (await meanwhile) ?? { accessToken: null };
    expect(accessToken).not.toBe(null);
    expect(await isLoggedIn(accessToken)).toBe(false);
    expect(await isLoggedIn(token)).toBe(true);
  });

  test('S33 the code that turned it on does not log in as well', async () => {
    const accounts = await loggedIn(accountsHere());
    const { token, newSecret, set, logIn } = accounts;
    const code = now(accounts, await newSecret(token));
    await set(token, code);
    expect((await logIn('ada', { code })).code).toBe('INVALID_CODE');
  });

  test('is refused twice', async () => {
    const accounts = accountsHere();
    const { token, code } = await accounts.enrolled('ada');
    expect(codeIn(await accounts.set(token, code()))).toBe('TWO_FACTOR_ALREADY_SET');
  });
});

describe('whoever holds a stolen session', () => {
  test.each([
    '{ twoFactorSecret { base32 } }',
    'mutation { twoFactorSet(code: "123456") }',
    'mutation { twoFactorUnset(code: "123456") }',
    'mutation { generateRecoveryCodes }',
  ])('S36 needs a recent login before anything else: %s', async (query) => {
    const { enrolled, ask, clock, verify } = createTwoFactor();
    const { token, code } = await enrolled('ada');
    clock.pass(11 * MINUTE);
    expect(codeIn(await ask(query, { token }))).toBe('RECENT_LOGIN_REQUIRED');
    const proof = { user: { username: 'ada' }, password: PASSWORD, code: code() };
    expect(codeIn(await verify('password', proof, token))).toBe(null);
    expect(codeIn(await ask(query, { token }))).not.toBe('RECENT_LOGIN_REQUIRED');
  });

  test('S42 does nothing of it while impersonating', async () => {
    const accounts = createTwoFactor({ options: { impersonationAuthorize: () => true } });
    const { token } = await loggedIn(accounts, 'admin');
    const id = await accounts.signUp('ada');
    const { ask } = accounts;
    const { data } = await ask(
      'mutation ($token: String!, $id: String) { impersonate(accessToken: $token, impersonated: { userId: $id }) { tokens { accessToken } } }',
      { token, variables: { token, id } },
    );
    const { tokens } = (data?.impersonate ?? {}) as { tokens: { accessToken: string } };
    for (const query of [
      '{ twoFactorSecret { base32 } }',
      'mutation { twoFactorSet(code: "123456") }',
      'mutation { twoFactorUnset(code: "123456") }',
      'mutation { generateRecoveryCodes }',
    ]) {
      expect(codeIn(await ask(query, { token: tokens.accessToken }))).toBe('FORBIDDEN');
    }
    expect((await ask('{ getUser { twoFactorEnabled } }', { token: tokens.accessToken })).data).toEqual({
      getUser: { twoFactorEnabled: null },
    });
  });

  test('leaves no second factor when the session ends while it is turned on', async () => {
    const { service, signUp, db, clock, logIn } = createTwoFactor();
    const id = await signUp('ada');
    const { base32 } = await service.createSecret(id);
    const stillThere = () => Promise.reject(new Error('the session has ended'));
    expect(await codeOf(service.set(id, codeAt(base32 ?? '', clock.now()), { stillThere }))).toBe(
      'INTERNAL_SERVER_ERROR',
    );
    expect(await db.identities.find('totp', id)).toBe(null);
    expect((await logIn('ada')).code).toBe(null);
  });

  test('takes none away when the session ends while it is turned off', async () => {
    const { service, enrolled, db, logIn, isLoggedIn, server } = createTwoFactor();
    const { id, code } = await enrolled('ada');
    let asked = 0;
    let between: Promise<{ accessToken: string | null }> | undefined;
    const stillThere = async () => {
      if (asked++ === 0) return;
      between = logIn('ada');
      await between;
      throw new Error('the session has ended');
    };
    const used = code();
    expect(await codeOf(service.unset(id, used, { stillThere }))).toBe('INTERNAL_SERVER_ERROR');
    await server.settled();
    expect(await db.identities.find('totp', id)).not.toBe(null);
    expect((await logIn('ada')).code).toBe('TWO_FACTOR_REQUIRED');
    expect(await isLoggedIn((await between)?.accessToken ?? null)).toBe(false);
    expect((await logIn('ada', { code: used })).code).toBe('INVALID_CODE');
  });

  test.each([true, false])('guesses no code, also with rate limits %s', async (limited) => {
    const accounts = createTwoFactor(limited ? {} : { options: { rateLimits: false } });
    const { token, secret } = await accounts.enrolled('ada');
    const outcomes = [];
    for (let n = 0; n < 12; n++) {
      outcomes.push(codeIn(await accounts.unset(token, wrongCode(secret, accounts.clock.now()))));
    }
    expect(tally(outcomes).INVALID_CODE).toBe(9);
    expect(outcomes.at(-1)).toBe('RATE_LIMITED');
    expect(codeIn(await accounts.unset(token, codeAt(secret, accounts.clock.now())))).toBe('RATE_LIMITED');
  });
});

describe('turning it off', () => {
  test.each(['authenticator', 'recovery code'])(
    'by %s: other sessions end, and logins ask for nothing',
    async (by) => {
      const accounts = createTwoFactor();
      const { enrolled, generate, logIn, unset, isLoggedIn, db, mailsTo, clock, server } = accounts;
      const { id, token, code } = await enrolled('ada');
      const [recovery = ''] = await generate(token);
      const other = await logIn('ada', { code: code() });
      clock.pass(STEP);
      const events: string[] = [];
      server.on('TwoFactorUnsetSuccess', ({ user }) => events.push(user.id));
      expect((await unset(token, by === 'authenticator' ? code() : recovery)).data).toEqual({
        twoFactorUnset: true,
      });
      expect(await isLoggedIn(other.accessToken)).toBe(false);
      expect(await isLoggedIn(token)).toBe(true);
      expect((await logIn('ada')).code).toBe(null);
      const services = (await db.identities.findByUser(id)).map(({ service }) => service).sort();
      expect(services).toEqual(['email', 'password', 'username']);
      expect(await mailsTo('ada')).toContain('Your second factor has been turned off');
      expect(events).toEqual([id]);
    },
  );

  test('is refused without a right code, and tells of it', async () => {
    const { enrolled, unset, logIn, server, clock } = createTwoFactor();
    const { id, token, secret } = await enrolled('ada');
    const events: unknown[] = [];
    server.on('TwoFactorUnsetError', (event) => events.push(event));
    expect(codeIn(await unset(token, wrongCode(secret, clock.now())))).toBe('INVALID_CODE');
    expect(events).toMatchObject([{ userId: id, error: { code: 'INVALID_CODE' } }]);
    expect((await logIn('ada')).code).toBe('TWO_FACTOR_REQUIRED');
  });

  test('S33 a code that logged in does not turn it off as well', async () => {
    const { enrolled, unset, logIn } = createTwoFactor();
    const { token, code } = await enrolled('ada');
    await logIn('ada', { code: code() });
    expect(codeIn(await unset(token, code()))).toBe('INVALID_CODE');
  });

  test('is refused to whoever has none', async () => {
    const { unset, token, generate } = await loggedIn();
    expect(codeIn(await unset(token, '123456'))).toBe('TWO_FACTOR_NOT_SET');
    await expect(generate(token)).rejects.toThrow('TWO_FACTOR_NOT_SET');
  });

  test('and on again makes another secret: the old authenticator is worth nothing', async () => {
    const accounts = createTwoFactor();
    const { enrolled, unset, newSecret, set, logIn, clock, generate } = accounts;
    const { token, secret: old, code } = await enrolled('ada');
    const [recovery = ''] = await generate(token);
    await unset(token, code());
    const secret = await newSecret(token);
    expect(codeIn(await set(token, now(accounts, secret)))).toBe(null);
    clock.pass(STEP);
    expect((await logIn('ada', { code: now(accounts, old) })).code).toBe('INVALID_CODE');
    expect((await logIn('ada', { code: recovery })).code).toBe('INVALID_CODE');
    expect((await logIn('ada', { code: now(accounts, secret) })).code).toBe(null);
  });

  test('of 16 at once one succeeds', async () => {
    const { enrolled, unset } = createTwoFactor();
    const { token, code } = await enrolled('ada');
    const answers = await Promise.all(Array.from({ length: 16 }, () => unset(token, code())));
    expect(tally(answers.map(codeIn)).null).toBe(1);
  });

  test('an administrator needs no code, and every session ends', async () => {
    const { enrolled, service, isLoggedIn, logIn } = createTwoFactor();
    const { id, token } = await enrolled('ada');
    await service.remove(id);
    expect(await isLoggedIn(token)).toBe(false);
    expect((await logIn('ada')).code).toBe(null);
    expect(await codeOf(service.remove(id))).toBe('TWO_FACTOR_NOT_SET');
    expect(await codeOf(service.remove('nobody'))).toBe('USER_NOT_FOUND');
  });
});

describe('keys', () => {
  const OLD = 'the old encryption key, long enough ....';
  const NEW = 'the new encryption key, long enough ....';
  const SECRET_OF_ADA = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  const oldBox = createSecretBox([OLD]);

  test('a secret under an older key of the list is right, and is sealed under the first one from then on', async () => {
    const accounts = createTwoFactor({ options: { encryptionKey: [NEW, OLD] } });
    const id = await accounts.imported('ada', SECRET_OF_ADA, oldBox);
    const boxOf = async () => String((await factorOf(accounts, id))?.data.secret);
    const before = await boxOf();
    expect((await accounts.logIn('ada', { code: wrongCode(SECRET_OF_ADA, accounts.clock.now()) })).code).toBe(
      'INVALID_CODE',
    );
    expect(await boxOf()).toBe(before);
    expect((await accounts.logIn('ada', { code: now(accounts, SECRET_OF_ADA) })).code).toBe(null);
    const after = await boxOf();
    expect(createSecretBox([NEW]).open(after, { service: 'totp', subject: id })).toBe(SECRET_OF_ADA);
    const later = createTwoFactor({ options: { encryptionKey: NEW, db: accounts.db } }, accounts.clock);
    accounts.clock.pass(STEP);
    expect((await later.logIn('ada', { code: now(accounts, SECRET_OF_ADA) })).code).toBe(null);
  });

  test('a secret whose key is gone lets nobody in, and the log says why', async () => {
    const accounts = createTwoFactor({ options: { encryptionKey: NEW } });
    const id = await accounts.imported('ada', SECRET_OF_ADA, oldBox);
    expect((await accounts.logIn('ada')).code).toBe('TWO_FACTOR_REQUIRED');
    expect((await accounts.logIn('ada', { code: now(accounts, SECRET_OF_ADA) })).code).toBe('INVALID_CODE');
    const [{ error, where }] = accounts.errors as [{ error: Error; where: string }];
    expect(`${where}: ${error.message}`).toBe(
      `a second factor: the secret of user ${id} opens with none of the keys in encryptionKey`,
    );
    expect(JSON.stringify(accounts.errors)).not.toContain(SECRET_OF_ADA);
  });

  test('recovery codes still work then, if they were made under a key that is there', async () => {
    const before = createTwoFactor({ options: { encryptionKey: OLD } });
    const { id, token } = await before.enrolled('ada');
    const both = createTwoFactor({ options: { encryptionKey: [NEW, OLD], db: before.db } }, before.clock);
    const [code = ''] = await both.generate(token);
    const after = createTwoFactor({ options: { encryptionKey: NEW, db: before.db } }, before.clock);
    expect((await after.logIn('ada', { code })).code).toBe(null);
    expect(await factorOf(after, id)).not.toBe(null);
  });

  test('recovery codes of an older key of the list work', async () => {
    const before = createTwoFactor({ options: { encryptionKey: OLD } });
    const [code = ''] = await before.generate((await before.enrolled('ada')).token);
    const both = createTwoFactor({ options: { encryptionKey: [NEW, OLD], db: before.db } }, before.clock);
    expect((await both.logIn('ada', { code })).code).toBe(null);
  });

  test('a box that was copied from another user opens nothing', async () => {
    const accounts = createTwoFactor();
    const mallory = await accounts.imported('mallory', SECRET_OF_ADA);
    const ada = await accounts.imported('ada', 'MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK');
    const [theirs, record] = [await factorOf(accounts, mallory), await factorOf(accounts, ada)];
    if (!theirs || !record) throw new Error('nobody was imported');
    await accounts.db.identities.update({ ...record, data: theirs.data });
    expect((await accounts.logIn('ada', { code: now(accounts, SECRET_OF_ADA) })).code).toBe('INVALID_CODE');
  });

  test('without a key the server is not made', () => {
    const tokenSecret = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const make = (encryptionKey?: string) =>
      new AccountsServer(
        { db: memoryDatabase(), tokenSecret, encryptionKey },
        { password: password(fastHashes), twoFactor: twoFactor() },
      );
    expect(() => make()).toThrow(/encryptionKey is missing/);
    make(NEW);
  });
});

describe('users who come from accounts-js', () => {
  test.each([
    'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    'GEZDGNBVGY3TQOJQ',
    'JZXW4ZJAMRSXMZLSEBZWK3TEOMQGC3TEEBZWKY3SMV2HG',
  ])('get in with their old authenticator, whose secret is %s', async (secret) => {
    const accounts = createTwoFactor();
    const id = await accounts.imported('ada', secret);
    expect((await accounts.logIn('ada')).factors).toEqual(['totp', 'recovery']);
    const code = now(accounts, secret);
    expect((await accounts.logIn('ada', { code })).code).toBe(null);
    expect((await accounts.logIn('ada', { code })).code).toBe('INVALID_CODE');
    accounts.clock.pass(STEP);
    const { accessToken } = await accounts.logIn('ada', { code: now(accounts, secret) });
    const codes = await accounts.generate(accessToken ?? '');
    expect((await accounts.logIn('ada', { code: codes[0] ?? '' })).code).toBe(null);
    expect(await accounts.service.isEnabled(id)).toBe(true);
  });

  test.each([
    { name: 'twoFactorSecret', document: GetTwoFactorSecretDocument },
    { name: 'twoFactorSet', document: TwoFactorSetDocument },
    { name: 'twoFactorUnset', document: TwoFactorUnsetDocument },
  ])('keep their front end, whose document for $name fits', ({ document }) => {
    expect(validate(createTwoFactor().schema, document as DocumentNode)).toEqual([]);
  });
});

describe('User.twoFactorEnabled', () => {
  test('is told to its owner and to nobody else', async () => {
    const { enrolled, ask, signUp, logIn, clock } = createTwoFactor();
    const { token } = await enrolled('ada');
    clock.pass(STEP);
    await signUp('grace');
    const grace = await logIn('grace');
    const query = '{ getUser { twoFactorEnabled } }';
    expect((await ask(query, { token })).data).toEqual({ getUser: { twoFactorEnabled: true } });
    expect((await ask(query, { token: grace.accessToken })).data).toEqual({
      getUser: { twoFactorEnabled: false },
    });
  });
});

describe('options', () => {
  test.each([
    { secretLength: 20 },
    { window: 5 },
    { errors: {} },
    { appname: 'Diary' },
    { appName: '' },
    { appName: ' ' },
    { appName: 'A:B' },
    { appName: 'A\nB' },
    { appName: 7 },
  ])('refuses %j', (options) => {
    expect(() => twoFactor(options as object)).toThrow(TypeError);
  });
});

test('S39 a stranger who turns it off while the owner takes the account over leaves no second factor behind', async () => {
  const own = 'the own password of its owner';
  const db = memoryDatabase();
  const owner = createTwoFactor({ options: { db } });
  const remove: typeof db.identities.remove = async (service, ...given) => {
    const removed = await db.identities.remove(service, ...given);
    if (service === 'totp') await takeOver();
    return removed;
  };
  // The stranger works in another process.
  const slow = { ...db, identities: { ...db.identities, remove } };
  const stranger = createTwoFactor({ options: { db: slow } }, owner.clock);
  const { id, token, code } = await stranger.enrolled('ada');
  await owner.server.services.password.sendResetPasswordEmail('ada@example.com');
  const link = await owner.linkTo('ada', 'reset-password');
  let takeOver = async (): Promise<void> => {
    takeOver = async () => undefined;
    await owner.server.services.password.resetPassword(link, own);
  };
  expect(codeIn(await stranger.unset(token, code()))).toBe('UNAUTHENTICATED');
  await stranger.server.settled();
  const services = (await db.identities.findByUser(id)).map(({ service }) => service);
  expect(services.sort()).toEqual(['email', 'password', 'username']);
  expect((await owner.logIn('ada', { password: own })).code).toBe(null);
});

test('a proof by one factor leaves a session of one factor, whatever was proved in it before', async () => {
  const accounts = createTwoFactor();
  const { token, secret } = await accounts.enrolled('ada');
  const amr = async () => (await accounts.server.resumeLiveSession(token)).session.amr;
  expect(await amr()).toContain('mfa');
  expect(codeIn(await accounts.unset(token, codeAt(secret, accounts.clock.now() + STEP)))).toBe(null);
  await accounts.verify('password', { user: { username: 'ada' }, password: PASSWORD }, token);
  expect(await amr()).toEqual(['pwd']);
});
