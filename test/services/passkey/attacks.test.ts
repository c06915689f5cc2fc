// What an attacker would send. The authenticator signs whatever a test wants signed.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createAccounts } from './accounts.ts';
import { Authenticator, base64url, cbor, type Twist } from './authenticator.ts';

async function stage() {
  const accounts = createAccounts();
  const ada = await accounts.member('ada@example.com');
  const authenticator = await accounts.addPasskey(ada.token);
  return { ...accounts, ada, authenticator };
}

const { privateKey: foreignKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

describe('a login is refused', () => {
  test.each<{ what: string; twist: Twist; code: string }>([
    { what: 'from a foreign origin', twist: { origin: 'https://evil.example' }, code: 'INVALID_PASSKEY' },
    { what: 'from another port', twist: { origin: 'http://localhost:3001' }, code: 'INVALID_PASSKEY' },
    { what: 'from below the origin', twist: { origin: 'http://a.localhost:3000' }, code: 'INVALID_PASSKEY' },
    {
      what: 'from an origin that ours begins',
      twist: { origin: 'http://localhost:3000.evil.example' },
      code: 'INVALID_PASSKEY',
    },
    { what: 'from the origin null', twist: { origin: 'null' }, code: 'INVALID_PASSKEY' },
    { what: 'from a frame of somebody else', twist: { crossOrigin: true }, code: 'INVALID_PASSKEY' },
    {
      what: 'below the origin of another page',
      twist: { topOrigin: 'https://evil.example' },
      code: 'INVALID_PASSKEY',
    },
    { what: 'for a foreign relying party', twist: { rpId: 'evil.example' }, code: 'INVALID_PASSKEY' },
    { what: 'by an answer of another type', twist: { type: 'webauthn.create' }, code: 'INVALID_PASSKEY' },
    { what: 'by a payment', twist: { type: 'payment.get' }, code: 'INVALID_PASSKEY' },
    {
      what: 'with another challenge',
      twist: { challenge: base64url('x'.repeat(32)) },
      code: 'INVALID_PASSKEY',
    },
    { what: 'without anybody being there', twist: { userPresent: false }, code: 'INVALID_PASSKEY' },
    { what: 'without a user handle', twist: { userHandle: undefined }, code: 'INVALID_PASSKEY' },
    { what: 'signed by another key', twist: { key: foreignKey }, code: 'INVALID_CREDENTIALS' },
    {
      what: "with a stranger's user handle",
      twist: { userHandle: base64url('stranger') },
      code: 'INVALID_CREDENTIALS',
    },
    { what: 'with an id that nobody has', twist: { id: base64url('nobody') }, code: 'INVALID_CREDENTIALS' },
    { what: 'backed up without being able to', twist: { backedUp: true }, code: 'INVALID_CREDENTIALS' },
    {
      what: 'by a passkey that may be synchronised all at once',
      twist: { backupEligible: true },
      code: 'INVALID_CREDENTIALS',
    },
  ])('$what', async ({ twist, code }) => {
    const { enterWith, authenticator, errors } = await stage();
    expect((await enterWith(authenticator, twist)).code).toBe(code);
    expect((await enterWith(authenticator)).code).toBeUndefined();
    expect(errors).toEqual([]);
  });

  test('with the passkey of one user and the user handle of another', async () => {
    const { authenticator, member, addPasskey, enterWith } = await stage();
    const grace = await member('grace@example.com');
    const other = await addPasskey(grace.token);
    const { code } = await enterWith(authenticator, { userHandle: other.userHandle });
    expect(code).toBe('INVALID_CREDENTIALS');
    expect((await enterWith(other, { id: authenticator.id })).code).toBe('INVALID_CREDENTIALS');
  });

  test('when client data was changed after it was signed', async () => {
    const { authenticator, loginOptions, enter } = await stage();
    const stolen = authenticator.get((await loginOptions()).options, { origin: 'https://evil.example' });
    const { options, challenge } = await loginOptions();
    const { clientDataJSON } = authenticator.get(options).response;
    const response = { ...stolen, response: { ...stolen.response, clientDataJSON } };
    expect((await enter(challenge, response)).code).toBe('INVALID_CREDENTIALS');
  });

  test('S7 of a deactivated user as with a passkey that nobody has', async () => {
    const { authenticator, server, ada, loginOptions } = await stage();
    await server.deactivateUser(ada.userId);
    const refusalOf = async (twist: Twist) => {
      const { options, challenge } = await loginOptions();
      const params = { token: challenge, response: authenticator.get(options, twist) };
      return server.loginWithService('passkey', params, {}).catch((error: unknown) => error);
    };
    const deactivated = await refusalOf({});
    expect(deactivated).toMatchObject({ code: 'INVALID_CREDENTIALS' });
    expect(deactivated).toEqual(await refusalOf({ id: base64url('nobody') }));
    expect(deactivated).toEqual(await refusalOf({ key: foreignKey }));
  });

  test('when the passkey is removed while the login is under way', async () => {
    const { authenticator, server, enterWith, ada, db } = await stage();
    server.on('ValidateLogin', () => server.services.passkey.remove(ada.userId, authenticator.id));
    expect((await enterWith(authenticator)).code).toBe('INVALID_CREDENTIALS');
    const alive = (await db.sessions.findByUser(ada.userId)).filter(({ amr }) => amr.includes('user'));
    expect(alive).toEqual([]);
  });
});

describe('a challenge', () => {
  test('S28 is good once, also for sixteen at once', async () => {
    const { authenticator, loginOptions, enter } = await stage();
    const { options, challenge } = await loginOptions();
    const response = authenticator.get(options);
    const answers = await Promise.all(Array.from({ length: 16 }, () => enter(challenge, response)));
    expect(answers.filter(({ code }) => code === undefined)).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'INVALID_TOKEN')).toHaveLength(15);
  });

  test('is used up by an answer that is refused', async () => {
    const { authenticator, loginOptions, enter } = await stage();
    for (const bad of [null, 'x', {}, { id: 1 }]) {
      const { options, challenge } = await loginOptions();
      expect((await enter(challenge, bad)).code).toBe('INVALID_PASSKEY');
      expect((await enter(challenge, authenticator.get(options))).code).toBe('INVALID_TOKEN');
    }
  });

  test('S29 ends after five minutes', async () => {
    const { authenticator, loginOptions, registrationOptions, register, enter, clock, ada } = await stage();
    const { options, challenge } = await loginOptions();
    const registration = new Authenticator().create(await registrationOptions(ada.token));
    clock.pass(5 * 60_000);
    expect((await enter(challenge, authenticator.get(options))).code).toBe('INVALID_TOKEN');
    expect((await register(ada.token, registration)).code).toBe('INVALID_TOKEN');
  });

  test('that nobody was given is refused, of whatever type', async () => {
    const { authenticator, loginOptions, server } = await stage();
    const { options } = await loginOptions();
    const made = base64url('m'.repeat(32));
    const response = authenticator.get({ ...options, challenge: made });
    for (const token of [made, '', undefined, null, 7, {}, ['x'], 'x'.repeat(10_000), '__proto__']) {
      const login = server.loginWithService('passkey', { token, response }, {});
      await expect(login, String(token).slice(0, 20)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    }
  });

  test('of a login registers nothing, and the other way round', async () => {
    const { authenticator, loginOptions, registrationOptions, register, enter, ada } = await stage();
    const registration = await registrationOptions(ada.token);
    const { options, challenge } = await loginOptions();
    const made = new Authenticator().create({ ...registration, challenge });
    expect((await register(ada.token, made)).code).toBe('INVALID_TOKEN');
    const response = authenticator.get({ ...options, challenge: registration.challenge });
    expect((await enter(registration.challenge, response)).code).toBe('INVALID_TOKEN');
  });

  test('S13 is kept as a hash only', async () => {
    const puts: unknown[] = [];
    const { db, loginOptions, registrationOptions, ada } = await stage();
    const { put } = db.oneTimeTokens;
    db.oneTimeTokens.put = (token) => {
      puts.push(token);
      return put.call(db.oneTimeTokens, token);
    };
    const { challenge } = await loginOptions();
    const registration = await registrationOptions(ada.token);
    expect(puts).toHaveLength(2);
    for (const secret of [challenge, registration.challenge]) {
      expect(secret).toMatch(/^[\w-]{43}$/);
      expect(JSON.stringify(puts)).not.toContain(secret);
    }
  });

  test('S57 has a bounded number of neighbours from one network', async () => {
    const { db, server } = createAccounts();
    const keys: string[] = [];
    const { put } = db.oneTimeTokens;
    db.oneTimeTokens.put = (token) => {
      keys.push(token.key);
      return put.call(db.oneTimeTokens, token);
    };
    for (let last = 1; last <= 200; last++) {
      await server.services.passkey.createLoginOptions({ ip: `2001:db8::${last.toString(16)}` });
    }
    const places = keys.map(
      (key) => /^\["passkeyLogin","nobody","2001:db8:0:0::\/64 (\d+)"\]$/.exec(key)?.[1],
    );
    expect(places.every((place) => Number(place) < 65_536)).toBe(true);
    // People who share an address hardly ever meet.
    expect(new Set(places).size).toBeGreaterThan(190);
  });
});

describe('the counter', () => {
  test('may grow, and must not go back or stand still', async () => {
    const { authenticator, enterWith, server } = await stage();
    const copies: unknown[] = [];
    server.on('PasskeyCounterReused', (event) => copies.push(event));
    expect((await enterWith(authenticator, { counter: 5 })).code).toBeUndefined();
    for (const counter of [5, 4, 0]) {
      expect((await enterWith(authenticator, { counter })).code).toBe('INVALID_CREDENTIALS');
    }
    expect(copies).toHaveLength(3);
    expect(copies[0]).toMatchObject({ passkeyId: authenticator.id });
    expect((await enterWith(authenticator, { counter: 6 })).code).toBeUndefined();
  });

  test('may always be 0, also for logins at once', async () => {
    const { authenticator, enterWith } = await stage();
    const answers = await Promise.all(Array.from({ length: 50 }, () => enterWith(authenticator)));
    expect(answers.filter(({ code }) => code !== undefined)).toEqual([]);
  });

  test('is good once, also for two copies at once', async () => {
    const { authenticator, enterWith } = await stage();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => enterWith(authenticator, { counter: 3 })),
    );
    expect(answers.filter(({ code }) => code === undefined)).toHaveLength(1);
  });

  test('of an answer that the passkey did not sign alarms nobody', async () => {
    const { authenticator, enterWith, server } = await stage();
    await enterWith(authenticator, { counter: 5 });
    const copies: unknown[] = [];
    server.on('PasskeyCounterReused', (event) => copies.push(event));
    expect((await enterWith(authenticator, { counter: 4, key: foreignKey })).code).toBe(
      'INVALID_CREDENTIALS',
    );
    expect((await enterWith(authenticator, { counter: 4_000_000, key: foreignKey })).code).toBe(
      'INVALID_CREDENTIALS',
    );
    expect(copies).toEqual([]);
    expect((await enterWith(authenticator, { counter: 6 })).code).toBeUndefined();
  });
});

describe('a registration is refused', () => {
  test.each<{ what: string; twist: Twist; code: string }>([
    { what: 'from a foreign origin', twist: { origin: 'https://evil.example' }, code: 'INVALID_PASSKEY' },
    { what: 'from a frame of somebody else', twist: { crossOrigin: true }, code: 'INVALID_PASSKEY' },
    {
      what: 'below the origin of another page',
      twist: { topOrigin: 'https://evil.example' },
      code: 'INVALID_PASSKEY',
    },
    { what: 'for a foreign relying party', twist: { rpId: 'evil.example' }, code: 'INVALID_PASSKEY' },
    { what: 'by an answer of another type', twist: { type: 'webauthn.get' }, code: 'INVALID_PASSKEY' },
    {
      what: 'with a challenge of its own',
      twist: { challenge: base64url('x'.repeat(32)) },
      code: 'INVALID_TOKEN',
    },
    { what: 'without anybody being there', twist: { userPresent: false }, code: 'INVALID_PASSKEY' },
    {
      what: 'with another id than that of the passkey',
      twist: { id: base64url('another id') },
      code: 'INVALID_PASSKEY',
    },
  ])('$what', async ({ twist, code }) => {
    const { ada, register, registrationOptions, passkeys, errors } = await stage();
    const response = new Authenticator().create(await registrationOptions(ada.token), twist);
    expect((await register(ada.token, response)).code).toBe(code);
    expect(await passkeys(ada.token)).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  test.each([
    { what: 'RSA of 8,192 bits, slow to verify', alg: -257, n: Buffer.alloc(1_024, 0xc1) },
    { what: 'RSA with SHA-1', alg: -65_535, n: Buffer.alloc(256, 0xc1) },
    { what: 'an algorithm that nobody knows', alg: -9_999, n: Buffer.alloc(256, 0xc1) },
  ])('with a key of $what', async ({ alg, n }) => {
    const { ada, register, registrationOptions } = await stage();
    const coseKey = new Map<number, number | Uint8Array>([
      [1, 3],
      [3, alg],
      [-1, n],
      [-2, Buffer.from([1, 0, 1])],
    ]);
    const response = new Authenticator().create(await registrationOptions(ada.token), { coseKey });
    expect((await register(ada.token, response)).code).toBe('INVALID_PASSKEY');
  });

  test('twice with one challenge, and with one that was replaced', async () => {
    const { ada, register, registrationOptions } = await stage();
    const replaced = await registrationOptions(ada.token);
    const options = await registrationOptions(ada.token);
    expect((await register(ada.token, new Authenticator().create(replaced))).code).toBe('INVALID_TOKEN');
    const response = new Authenticator().create(options);
    expect((await register(ada.token, response)).code).toBeUndefined();
    expect((await register(ada.token, response)).code).toBe('INVALID_TOKEN');
  });

  test('with the challenge of another user, or of another session of the same', async () => {
    const { ada, register, registrationOptions, member, logIn } = await stage();
    const grace = await member('grace@example.com');
    const response = new Authenticator().create(await registrationOptions(ada.token));
    expect((await register(grace.token, response)).code).toBe('INVALID_TOKEN');
    // It is used up as well.
    expect((await register(ada.token, response)).code).toBe('INVALID_TOKEN');
    const another = new Authenticator().create(await registrationOptions(ada.token));
    expect((await register(await logIn('ada@example.com'), another)).code).toBe('INVALID_TOKEN');
  });

  test("of somebody else's passkey, which stays theirs", async () => {
    const { ada, authenticator, register, registrationOptions, member, enterWith } = await stage();
    const grace = await member('grace@example.com');
    const squatter = new Authenticator(undefined, authenticator.id);
    const response = squatter.create(await registrationOptions(grace.token));
    expect((await register(grace.token, response)).code).toBe('INVALID_PASSKEY');
    expect((await enterWith(authenticator)).data.authenticate).toMatchObject({ user: { id: ada.userId } });
    expect((await enterWith(squatter)).code).toBe('INVALID_CREDENTIALS');
  });

  test('of more passkeys than are allowed, also of many at once', async () => {
    const accounts = createAccounts({}, { maxPasskeys: 3 });
    const { token } = await accounts.member('ada@example.com');
    const sessions = await Promise.all(Array.from({ length: 6 }, () => accounts.logIn('ada@example.com')));
    const answers = await Promise.all(
      sessions.map(async (session) =>
        accounts.register(session, new Authenticator().create(await accounts.registrationOptions(session))),
      ),
    );
    expect(new Set(answers.map(({ code }) => code))).toContain('TOO_MANY_PASSKEYS');
    expect((await accounts.passkeys(token)).length).toBeLessThanOrEqual(3);
    while ((await accounts.passkeys(token)).length < 3) await accounts.addPasskey(token);
    expect((await accounts.ask('mutation { passkeyRegistrationOptions }', {}, token)).code).toBe(
      'TOO_MANY_PASSKEYS',
    );
  });
});

test('an attestation is not looked at: nothing in it is parsed, and nothing fetched', async () => {
  const { ada, register, registrationOptions } = await stage();
  const original = globalThis.fetch;
  const fetched: unknown[] = [];
  globalThis.fetch = async (url) => {
    fetched.push(url);
    throw new Error('nothing is fetched');
  };
  try {
    for (const fmt of ['packed', 'tpm', 'android-safetynet', 'apple', 'of nobody']) {
      const attStmt = new Map([['x5c', [Buffer.from('no certificate')]]]);
      const response = new Authenticator().create(await registrationOptions(ada.token), { fmt, attStmt });
      expect((await register(ada.token, response)).code, fmt).toBeUndefined();
    }
    expect(fetched).toEqual([]);
  } finally {
    globalThis.fetch = original;
  }
});

/** Objects as JSON.parse makes them: `__proto__` is a property of its own. */
const PARSED = ['{"__proto__":{"id":"x"}}', '{"constructor":{"prototype":{}}}', '[[[[[]]]]]'].map((text) =>
  JSON.parse(text),
);
const DEEP = JSON.parse(`${'{"a":'.repeat(15)}1${'}'.repeat(15)}`) as unknown;
const GARBAGE: unknown[] = [
  ...[null, true, 0, -1, 1e300, '', 'text', [], {}, [{}], DEEP, ...PARSED],
  ...['x'.repeat(100_000), 'a\u0000b', '\ud800', { $ne: null }, '__proto__'],
];

describe('S43 garbage is refused with a code, wherever it stands', () => {
  type Answer = { [field: string]: unknown; response: { [field: string]: unknown } };

  /** The answer with the garbage in each place in turn. */
  function* spoilt(answer: Answer): Generator<{ place: string; value: unknown }> {
    for (const garbage of GARBAGE) {
      yield { place: 'the answer', value: garbage };
      for (const field of ['id', 'rawId', 'type', 'response']) {
        yield { place: field, value: { ...answer, [field]: garbage } };
      }
      yield { place: 'both ids', value: { ...answer, id: garbage, rawId: garbage } };
      for (const field of Object.keys(answer.response)) {
        if (field === 'transports') continue;
        yield { place: field, value: { ...answer, response: { ...answer.response, [field]: garbage } } };
      }
      const clientDataJSON = base64url(JSON.stringify(garbage) ?? '');
      yield { place: 'client data', value: { ...answer, response: { ...answer.response, clientDataJSON } } };
      for (const field of ['type', 'challenge', 'origin', 'crossOrigin']) {
        const clientData = JSON.parse(
          Buffer.from(String(answer.response.clientDataJSON), 'base64url').toString(),
        );
        const changed = base64url(JSON.stringify({ ...clientData, [field]: garbage }));
        const response = { ...answer.response, clientDataJSON: changed };
        yield { place: `client data's ${field}`, value: { ...answer, response } };
      }
    }
  }

  const REFUSALS = ['INVALID_PASSKEY', 'INVALID_TOKEN', 'INVALID_CREDENTIALS', 'BAD_USER_INPUT'];

  test('at login', async () => {
    const { authenticator, loginOptions, enter, errors } = await stage();
    const { options } = await loginOptions();
    for (const { place, value } of spoilt(authenticator.get(options))) {
      const { challenge } = await loginOptions();
      expect(REFUSALS, place).toContain((await enter(challenge, value)).code);
    }
    expect(errors).toEqual([]);
  });

  test('at registration', async () => {
    const { ada, registrationOptions, register, passkeys, errors } = await stage();
    const authenticator = new Authenticator();
    const options = await registrationOptions(ada.token);
    for (const { place, value } of spoilt(authenticator.create(options))) {
      // GraphQL itself refuses it.
      if (value === null) continue;
      // The challenge of what is only spoilt in the other places was used up by the first of them.
      const fresh = await registrationOptions(ada.token);
      const again = JSON.parse(
        JSON.stringify(value).replaceAll(
          base64url(JSON.stringify(clientDataOf(options.challenge))),
          base64url(JSON.stringify(clientDataOf(fresh.challenge))),
        ),
      ) as unknown;
      expect(REFUSALS, place).toContain((await register(ada.token, again)).code);
    }
    expect(await passkeys(ada.token)).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  test('in the CBOR, cut off at each byte and deep', async () => {
    const { ada, registrationOptions, register, errors } = await stage();
    const whole = new Authenticator().create({ ...(await registrationOptions(ada.token)), challenge: 'x' });
    const bytes = Buffer.from(whole.response.attestationObject, 'base64url');
    const broken = [
      ...Array.from(bytes, (_, length) => bytes.subarray(0, length + 1)).slice(0, -1),
      ...['authData', 'fmt'].map((key) => cbor(new Map([[key, 1]]))),
      ...[
        Buffer.alloc(9_000, 0x81),
        Buffer.alloc(9_000, 0xa1),
        Buffer.from([0x9b, ...Buffer.alloc(8, 0xff)]),
      ],
      ...[Buffer.from([0xbb, ...Buffer.alloc(8, 0x7f)]), Buffer.alloc(12_000, 0xff), Buffer.from([0])],
    ];
    for (const attestation of broken) {
      const made = new Authenticator().create(await registrationOptions(ada.token));
      const response = { ...made.response, attestationObject: base64url(attestation) };
      expect((await register(ada.token, { ...made, response })).code).toBe('INVALID_PASSKEY');
    }
    expect(errors).toEqual([]);
  });

  test('hints that are none are left out', async () => {
    const { ada, registrationOptions, register, db } = await stage();
    const made = new Authenticator().create(await registrationOptions(ada.token));
    const transports = [
      'usb',
      7,
      null,
      {},
      'x y',
      '__proto__',
      'X'.repeat(100),
      'nfc',
      ...Array(1_000).fill('ble'),
    ];
    const response = { ...made, response: { ...made.response, transports } };
    expect((await register(ada.token, response)).code).toBeUndefined();
    const identity = await db.identities.find('passkey', made.id);
    expect(identity?.data.transports).toEqual(['usb', 'nfc']);
  });

  test('in names and ids', async () => {
    const { ada, registrationOptions, register, rename, remove, authenticator } = await stage();
    for (const name of ['', '   ', 'x'.repeat(65), 'a\u0000b', 'a\nb', 'a\u001b[31m']) {
      const made = new Authenticator().create(await registrationOptions(ada.token));
      expect((await register(ada.token, made, name)).code, JSON.stringify(name)).toBe('BAD_USER_INPUT');
      expect((await rename(ada.token, authenticator.id, name)).code).toBe('BAD_USER_INPUT');
    }
    expect((await rename(ada.token, authenticator.id, '\u{1f511}'.repeat(64))).code).toBeUndefined();
    for (const id of ['', '__proto__', 'x'.repeat(10_000), 'a\u0000b', ada.userId]) {
      expect((await remove(ada.token, id)).code).toBe('PASSKEY_NOT_FOUND');
      expect((await rename(ada.token, id, 'name')).code).toBe('PASSKEY_NOT_FOUND');
    }
  });
});

function clientDataOf(challenge: string) {
  return { type: 'webauthn.create', challenge, origin: 'http://localhost:3000', crossOrigin: false };
}
