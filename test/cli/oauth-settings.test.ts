import { afterAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/cli/config.ts';
import { oauthVariablesIn } from '../../src/cli/oauth-variables.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { ask, Bench, type Environment } from './child.ts';

const bench = new Bench();
afterAll(() => bench.close());

const parse = (environment: Environment, flags = {}) => parseConfig(readSettings(environment, flags)).oauth;

describe('the providers', () => {
  test('have the names of their variables, in lower case', () => {
    const { providers, redirectUris } = parse({
      OAUTH_SHOP_ISSUER: 'https://login.shop.example',
      OAUTH_SHOP_CLIENT_ID: 'shop',
      OAUTH_SHOP_CLIENT_SECRET: 'secret',
      OAUTH_MY_SHOP_2_ISSUER: 'http://localhost:8080/realms/one',
      OAUTH_MY_SHOP_2_CLIENT_ID: 'two',
      OAUTH_GOOGLE_CLIENT_ID: 'from Google',
      OAUTH_GOOGLE_CLIENT_SECRET: 'a secret',
      OAUTH_REDIRECT_URIS: 'https://app.example.com/back, com.example.app:/back',
      // Not ours.
      OAUTH_TOKEN: 'x',
      OAUTH_CLIENT_ID: 'x',
      OAUTH_shop_CLIENT_ID: 'x',
      MY_OAUTH_OTHER_CLIENT_ID: 'x',
    });
    expect(providers).toEqual({
      google: { clientId: 'from Google', clientSecret: 'a secret', issuer: undefined },
      my_shop_2: {
        clientId: 'two',
        clientSecret: undefined,
        issuer: 'http://localhost:8080/realms/one',
        label: 'My shop 2',
      },
      shop: {
        clientId: 'shop',
        clientSecret: 'secret',
        issuer: 'https://login.shop.example',
        label: 'Shop',
      },
    });
    expect(redirectUris).toEqual(['https://app.example.com/back', 'com.example.app:/back']);
    expect(parse({}).providers).toEqual({});
    expect(parse({ OAUTH_GOOGLE_CLIENT_ID: '' }).providers).toEqual({});
  });

  test('may come from flags', () => {
    const args = [
      'serve',
      '--oauth-my-shop-client-id',
      'x',
      '--oauth-my-shop-issuer=https://a.example',
      '--port',
      '1',
      '--oauth-x',
    ];
    expect(oauthVariablesIn(args)).toEqual(['OAUTH_MY_SHOP_CLIENT_ID', 'OAUTH_MY_SHOP_ISSUER']);
  });
});

describe('bad configuration ends the start with one line and exit code 1', () => {
  test.concurrent.each<[string, Environment, string[]?]>([
    ['OAUTH_SHOP_CLIENT_ID', { OAUTH_SHOP_ISSUER: 'https://hunter2.example' }],
    ['OAUTH_SHOP_CLIENT_ID', { OAUTH_SHOP_CLIENT_SECRET: 'hunter2' }],
    ['OAUTH_SHOP_ISSUER', { OAUTH_SHOP_CLIENT_ID: 'hunter2' }],
    ['OAUTH_SHOP_ISSUER', { OAUTH_SHOP_CLIENT_ID: 'x', OAUTH_SHOP_ISSUER: 'http://hunter2.example' }],
    ['OAUTH_SHOP_ISSUER', { OAUTH_SHOP_CLIENT_ID: 'x', OAUTH_SHOP_ISSUER: 'hunter2' }],
    [
      'OAUTH_CALLBACK_CLIENT_ID',
      { OAUTH_CALLBACK_CLIENT_ID: 'x', OAUTH_CALLBACK_ISSUER: 'https://hunter2.example' },
    ],
    ['OAUTH_REDIRECT_URIS', { OAUTH_REDIRECT_URIS: 'http://hunter2.example' }],
    ['OAUTH_SHOP_ISSUER', {}, ['--oauth-shop-client-id', 'hunter2']],
    ["unknown option '--oauth-shop-client'", {}, ['--oauth-shop-client', 'hunter2']],
  ])('%s: %o %o', async (named, environment, args = []) => {
    const { code, stdout, stderr } = await bench.run(['serve', ...args], { PORT: '0', ...environment });
    expect(stderr).toMatch(/^graphql-accounts: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(stderr + stdout).not.toContain('hunter2');
    expect(code).toBe(1);
  });
});

test('a provider that is down does not stop the start', async () => {
  const args = ['serve', '--oauth-shop-client-id', 'x', '--oauth-shop-issuer', 'http://127.0.0.1:1'];
  const { url } = await bench.start({}, args);
  expect((await ask(url, '{ oauthProviders { name } }')).data).toEqual({
    oauthProviders: [{ name: 'shop' }],
  });
  const { errors } = await ask(url, 'mutation { oauthStart(provider: "shop") { url } }');
  expect(errors?.[0]?.extensions.code).toBe('PROVIDER_UNAVAILABLE');
});

test('without variables there are no providers', async () => {
  const { url } = await bench.start();
  expect((await ask(url, '{ oauthProviders { name } }')).data).toEqual({ oauthProviders: [] });
});
