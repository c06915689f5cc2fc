import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { AccountsServer, type PasskeyOptions, passkey } from '../../../src/index.ts';
import { SECRET } from '../../accounts.ts';
import { createAccounts } from './accounts.ts';
import { Authenticator } from './authenticator.ts';

const create = (options: object, siteUrl = 'https://diary.example.com/home') =>
  new AccountsServer(
    { db: memoryDatabase(), tokenSecret: SECRET, siteUrl },
    { passkey: passkey(options as PasskeyOptions) },
  );

test.each<{ options: object; siteUrl?: string }>([
  { options: { rpID: 'example.com' } },
  { options: { rpId: 'https://example.com' } },
  { options: { rpId: 'example.com:443' } },
  { options: { rpId: 'Example.com' } },
  { options: { rpId: '192.0.2.1' } },
  { options: { rpId: '' } },
  { options: { rpId: 7 } },
  { options: { rpId: 'other.example' } },
  { options: { rpId: 'ample.com' } },
  { options: { rpName: '' } },
  { options: { rpName: {} } },
  { options: { origins: [] } },
  { options: { origins: 'https://example.com' } },
  { options: { origins: ['https://example.com/'] } },
  { options: { origins: ['http://example.com'] } },
  { options: { origins: ['https://*.example.com'] } },
  { options: { origins: ['null'] } },
  { options: { origins: ['android:apk-key-hash:short'] } },
  { options: { origins: [null] } },
  { options: { maxPasskeys: 0 } },
  { options: { maxPasskeys: 101 } },
  { options: { maxPasskeys: '5' } },
  { options: { notifyUserAfterPasskeysChanged: 'no' } },
  { options: {}, siteUrl: 'http://example.com' },
  { options: {}, siteUrl: 'https://192.0.2.1' },
  { options: {}, siteUrl: 'http://127.0.0.1:4000' },
])('$options is refused where the site is $siteUrl', ({ options, siteUrl }) => {
  expect(() => create(options, siteUrl)).toThrow(TypeError);
});

test.each<{ options: object; siteUrl?: string }>([
  { options: {} },
  { options: { rpId: 'example.com' } },
  { options: {}, siteUrl: 'http://localhost:4000' },
  { options: {}, siteUrl: 'http://diary.localhost:4000' },
  { options: { rpId: 'example.com', origins: ['https://shop.example.net', 'http://localhost:3000'] } },
  { options: { origins: [`android:apk-key-hash:${'x'.repeat(43)}`] } },
  { options: { rpId: 'example.com', origins: ['https://example.com'] }, siteUrl: 'http://127.0.0.1:4000' },
])('$options is taken where the site is $siteUrl', ({ options, siteUrl }) => {
  expect(() => create(options, siteUrl)).not.toThrow();
});

describe('the site decides', () => {
  const siteUrl = 'https://diary.example.com/home';

  test('for which domain passkeys are made, and on which origin they are used', async () => {
    const accounts = createAccounts({ siteUrl });
    const { token } = await accounts.member('ada@example.com');
    expect(await accounts.registrationOptions(token)).toMatchObject({ rp: { id: 'diary.example.com' } });
    const authenticator = await accounts.addPasskey(token, new Authenticator('https://diary.example.com'));
    expect((await accounts.enterWith(authenticator)).code).toBeUndefined();
    expect((await accounts.enterWith(authenticator, { origin: 'https://example.com' })).code).toBe(
      'INVALID_PASSKEY',
    );
  });

  test('unless options do: several origins share one domain', async () => {
    const origins = ['https://app.example.com', 'https://example.com'];
    const accounts = createAccounts({ siteUrl }, { rpId: 'example.com', rpName: 'Diary', origins });
    const { token } = await accounts.member('ada@example.com');
    expect(await accounts.registrationOptions(token)).toMatchObject({
      rp: { id: 'example.com', name: 'Diary' },
    });
    const authenticator = await accounts.addPasskey(token, new Authenticator('https://app.example.com'));
    expect((await accounts.enterWith(authenticator)).code).toBeUndefined();
    expect((await accounts.enterWith(authenticator, { origin: 'https://example.com' })).code).toBeUndefined();
    const old = { origin: 'https://diary.example.com' };
    expect((await accounts.enterWith(authenticator, old)).code).toBe('INVALID_PASSKEY');
  });
});

test('where passkeys are not registered, the schema knows nothing of them', async () => {
  const { ask } = createAccounts();
  expect((await ask('{ __type(name: "Passkey") { name } }')).data).toEqual({ __type: { name: 'Passkey' } });
  const { accountsModule, password } = await import('../../../src/index.ts');
  const without = new AccountsServer({ db: memoryDatabase(), tokenSecret: SECRET }, { password: password() });
  expect(JSON.stringify(accountsModule(without).typeDefs)).not.toContain('asskey');
});
