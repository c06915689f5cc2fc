// An operator replaces the key of the secrets while people have second factors, also those who came from accounts-js.
import { hkdfSync } from 'node:crypto';
import mongoose from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqliteDatabase } from '../../src/database/sqlite/index.ts';
import { Bench } from '../cli/child.ts';
import { freshDatabase, HAS_MONGO, startMongo } from '../servers/mongo.ts';
import { exercised } from '../stores.ts';
import { Client, Secrets, Totp } from './fixtures/client.ts';

const [OLD, NEW] = ['the old key of the secrets which is long', 'the new key of the secrets which is long'];
const PASSWORD = 'the old password';
const DATABASE = 'data/accounts.db';

let bench: Bench;
let secrets: Secrets;
beforeEach(() => {
  bench = new Bench();
  secrets = new Secrets();
});
afterEach(() => bench.close());

type Environment = { [name: string]: string };

/** The program with these keys, for as long as the work takes, and what it wrote until its end. */
async function served<T>(environment: Environment, work: (client: Client) => Promise<T>) {
  const settings = { DATABASE_URL: `sqlite:./${DATABASE}`, RATE_LIMITS: 'off', ...environment };
  const { url, stop, output } = await bench.start(settings);
  const result = await work(new Client(url, secrets));
  await stop();
  expect(secrets.in(output())).toEqual([]);
  return { result, output: output() };
}

const withKey = (...keys: string[]): Environment => ({ ENCRYPTION_KEY: keys.join(',') });

const by = (username: string) => ({ user: { username }, password: PASSWORD });

/** Signs up, turns the second factor on, and makes recovery codes. */
async function enrolled(client: Client, username: string) {
  const signUp = 'mutation ($user: CreateUserInput!) { createUser(user: $user) { userId } }';
  await client.get(signUp, { user: { username, password: PASSWORD } });
  const { accessToken = '' } = (await client.authenticate('password', by(username))).tokens ?? {};
  const { twoFactorSecret } = await client.get('{ twoFactorSecret { base32 } }', {}, accessToken);
  const { base32 } = twoFactorSecret as { base32: string };
  const totp = new Totp(secrets.keep(base32));
  const set = 'mutation ($code: String!) { twoFactorSet(secret: {}, code: $code) }';
  await client.get(set, { code: secrets.keep(await totp.code()) }, accessToken);
  const { generateRecoveryCodes } = await client.get('mutation { generateRecoveryCodes }', {}, accessToken);
  const recovery = (generateRecoveryCodes as string[]).map((code) => secrets.keep(code));
  return { username, totp, recovery };
}

const codeOf = async (client: Client, username: string, code: string): Promise<string | null> =>
  (await client.authenticate('password', { ...by(username), code: secrets.keep(code) })).code;

/** The boxes of the second factors as they lie in the file. */
async function boxes(): Promise<{ [userId: string]: unknown }> {
  const db = sqliteDatabase(`${bench.folder}/${DATABASE}`);
  try {
    const found: { [name: string]: unknown } = {};
    for (const name of ['ada', 'grace']) {
      const owner = await db.identities.find('username', name);
      const factor = await db.identities.find('totp', owner?.userId ?? '');
      found[name] = factor?.data.secret;
    }
    return found;
  } finally {
    await db.close?.();
  }
}

describe('ENCRYPTION_KEY', { timeout: 240_000 }, () => {
  test('is replaced by a list, and who logs in meanwhile may do without the old one', async () => {
    const { result: people } = await served(withKey(OLD), async (client) => ({
      ada: await enrolled(client, 'ada'),
      grace: await enrolled(client, 'grace'),
    }));
    const { ada, grace } = people;
    const before = await boxes();

    await served(withKey(NEW, OLD), async (client) => {
      expect(await codeOf(client, 'ada', await ada.totp.code())).toBe(null);
      expect(await codeOf(client, 'grace', grace.recovery[0] ?? '')).toBe(null);
    });
    const after = await boxes();
    expect(after.ada).not.toBe(before.ada);
    expect(after.grace).toBe(before.grace);

    const { output } = await served(withKey(NEW), async (client) => {
      expect(await codeOf(client, 'ada', await ada.totp.code())).toBe(null);
      // Who did not come by the authenticator has a secret that nothing opens: no way past it.
      expect((await client.authenticate('password', by('grace'))).code).toBe('TWO_FACTOR_REQUIRED');
      expect(await codeOf(client, 'grace', await grace.totp.code())).toBe('INVALID_CODE');
      // An HMAC cannot be made anew without the code: those of the old key are void with it.
      expect(await codeOf(client, 'ada', ada.recovery[0] ?? '')).toBe('INVALID_CODE');
    });
    expect(output).toMatch(/a second factor.*opens with none of the keys in encryptionKey/);

    // The key comes back, and with it who waited.
    await served(withKey(NEW, OLD), async (client) => {
      expect(await codeOf(client, 'grace', await grace.totp.code())).toBe(null);
      expect(await codeOf(client, 'ada', ada.recovery[0] ?? '')).toBe(null);
    });
  });

  test('is the former derived one, by name, when the token secret is replaced', async () => {
    const [former, next] = ['the former secret of the tokens, long', 'the next secret of the tokens, longer'];
    const { result: ada } = await served({ TOKEN_SECRET: former }, (client) => enrolled(client, 'ada'));
    // As docs/second-factor.md has it.
    const derived = hkdfSync('sha256', former, '', 'graphql-accounts encryption key', 32);
    const key = Buffer.from(derived).toString('base64url');
    await served({ TOKEN_SECRET: next }, async (client) =>
      expect(await codeOf(client, 'ada', await ada.totp.code())).toBe('INVALID_CODE'),
    );
    await served({ TOKEN_SECRET: next, ENCRYPTION_KEY: key }, async (client) => {
      expect(await codeOf(client, 'ada', await ada.totp.code())).toBe(null);
      expect(await codeOf(client, 'ada', ada.recovery[0] ?? '')).toBe(null);
    });
  });
});

describe.skipIf(!HAS_MONGO)('a user of accounts-js with a second factor', { timeout: 240_000 }, () => {
  const BASE32 = 'MNJE2ZTHJFYUINRBHYUFIVKSMNTHCQZS';
  const FACTOR = {
    _id: 'factor',
    username: 'ada',
    services: {
      password: { bcrypt: '$2a$04$nMf9FOVXP66PTjnbVU2TSOgT7i./Di5UItjUWd6FdOeO2B355x.JC' },
      'two-factor': { secret: { base32: BASE32 } },
    },
  };

  test('gets in by the old authenticator, in one step and in two, and not without it', async () => {
    const mongo = await startMongo();
    if (!mongo) throw new Error('MongoDB is not on this machine');
    exercised('MongoDB');
    try {
      const from = freshDatabase(mongo.url);
      const source = await mongoose.mongo.MongoClient.connect(from);
      await source.db().collection<{ _id: string }>('users').insertOne(FACTOR);
      await source.close();
      const to = ['--from', from, '--to', `sqlite:./${DATABASE}`];
      const imported = await bench.run(['import', 'accounts-js', ...to], withKey(OLD));
      expect(imported).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await mongo.close();
    }
    const totp = new Totp(secrets.keep(BASE32));
    await served(withKey(NEW, OLD), async (client) => {
      const { code, extensions } = await client.authenticate('password', by('ada'));
      expect([code, extensions.factors]).toEqual(['TWO_FACTOR_REQUIRED', ['totp', 'recovery']]);
      expect(await codeOf(client, 'ada', '000000')).toBe('INVALID_CODE');
      const used = await totp.code();
      expect(await codeOf(client, 'ada', used)).toBe(null);
      expect(await codeOf(client, 'ada', used)).toBe('INVALID_CODE');
    });
    await served(withKey(NEW), async (client) => {
      const { accessToken } = await client.enter('password', by('ada'), await totp.code());
      const { getUser } = await client.get('{ getUser { username twoFactorEnabled } }', {}, accessToken);
      expect(getUser).toEqual({ username: 'ada', twoFactorEnabled: true });
    });
    // Another key than that of the import opens nothing.
    const { output } = await served(withKey('a key that nobody has ever used before'), async (client) =>
      expect(await codeOf(client, 'ada', await totp.code())).toBe('INVALID_CODE'),
    );
    expect(output).toMatch(/opens with none of the keys/);
  });
});
