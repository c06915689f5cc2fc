import { afterEach, describe, expect, test } from 'vitest';
import { choosePasskeys } from '../../src/cli/passkeys.ts';
import { ask, Bench } from './child.ts';

function choose(rpId: string | null, siteUrl: string) {
  const warnings: string[] = [];
  const chosen = choosePasskeys(rpId, siteUrl, { warn: (message) => warnings.push(message) });
  return { on: chosen.passkey !== undefined, warnings };
}

test.each([
  { rpId: null, siteUrl: 'http://localhost:4000' },
  { rpId: null, siteUrl: 'https://diary.example.com/home' },
  { rpId: 'example.com', siteUrl: 'https://diary.example.com' },
])('passkeys are on where browsers allow them: $rpId, $siteUrl', ({ rpId, siteUrl }) => {
  expect(choose(rpId, siteUrl)).toEqual({ on: true, warnings: [] });
});

test.each(['http://diary.example.com', 'https://192.0.2.1', 'http://127.0.0.1:4000'])(
  'they are off, with one line, where browsers do not: %s',
  (siteUrl) => {
    expect(choose(null, siteUrl)).toEqual({
      on: false,
      warnings: [expect.stringMatching(/^passkeys are off: .*siteUrl/)],
    });
    expect(() => choose('example.com', siteUrl)).toThrow(/^RP_ID: /);
  },
);

describe('the program', () => {
  const bench = new Bench();
  afterEach(() => bench.close());

  test('has passkeys for the host of SITE_URL, or for RP_ID, and stops where the two do not fit', async () => {
    const LOGIN = 'mutation { passkeyLoginOptions { options challenge } }';
    const domainOf = async (environment: { [name: string]: string }) => {
      const { url, stop } = await bench.start({ DATABASE_URL: 'sqlite::memory:', ...environment });
      const { data } = await ask(url, LOGIN);
      await stop();
      return (data?.passkeyLoginOptions as unknown as { options: { rpId: string } } | undefined)?.options
        .rpId;
    };
    const SITE_URL = 'https://diary.example.com';
    expect(await domainOf({})).toBe('localhost');
    expect(await domainOf({ SITE_URL })).toBe('diary.example.com');
    expect(await domainOf({ SITE_URL, RP_ID: 'example.com' })).toBe('example.com');
    const refused = await bench.run(['serve'], { PORT: '0', SITE_URL, RP_ID: 'other.example' });
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^graphql-accounts: RP_ID: [^\n]+\n$/),
    });
  });
});
