import { hash as argon2Hash } from '@node-rs/argon2';
import { genSaltSync, hashSync } from 'bcryptjs';
import { describe, expect, test } from 'vitest';
import { createHasher, type UnusableHash } from '../../../src/services/password/hasher.ts';
import { nobodysHash } from '../../../src/services/password/phc.ts';

const PASSWORD = 'correct horse battery staple';
// What the reference implementation prints for `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1`.
const REFERENCE = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';

/** A pair that counts its calls and does no work. */
function countingPair() {
  const calls = { hash: 0, verify: 0 };
  const given: string[] = [];
  return {
    calls,
    given,
    hashPassword: async (password: string) => {
      calls.hash += 1;
      given.push(password);
      return `plain:${password}`;
    },
    verifyPassword: async (password: string, hash: string) => {
      calls.verify += 1;
      given.push(password);
      return hash === `plain:${password}`;
    },
  };
}

describe('argon2id', () => {
  const problems: UnusableHash[] = [];
  const hasher = createHasher({ report: (problem) => problems.push(problem) });

  test('S1 a password is hashed as a PHC string with 19 MiB, two passes and one lane', async () => {
    const record = await hasher.hash(PASSWORD);
    expect(record.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(record.normalization).toBe('nfkc');
    expect(await hasher.verify(PASSWORD, record)).toBe(true);
    expect(await hasher.verify(`${PASSWORD}!`, record)).toBe(false);
    expect(hasher.needsRehash(record)).toBe(false);
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
  });

  test('S1 the same password has another hash every time', async () => {
    const [one, other] = await Promise.all([hasher.hash(PASSWORD), hasher.hash(PASSWORD)]);
    expect(one.hash).not.toBe(other.hash);
  });

  test('S4 the same password in another spelling verifies, because both are in NFKC', async () => {
    const record = await hasher.hash('Zoe\u0308 ﬁnds Å');
    expect(await hasher.verify('Zoë finds \u212b', record)).toBe(true);
    expect(await hasher.verify('zoë finds Å', record)).toBe(false);
  });

  test('S4 an imported hash is verified as typed', async () => {
    const imported = { hash: hashSync('Zoe\u0308', genSaltSync(4)), normalization: null };
    expect(await hasher.verify('Zoe\u0308', imported)).toBe(true);
    expect(await hasher.verify('Zoë', imported)).toBe(false);
    expect(await hasher.verify('Zoe\u0308', { hash: imported.hash })).toBe(true);
  });

  test('S2 an imported bcrypt hash verifies, the first 72 bytes decide, and it is to be replaced', async () => {
    const imported = { hash: hashSync('x'.repeat(100), genSaltSync(4)), normalization: null };
    expect(await hasher.verify('x'.repeat(72), imported)).toBe(true);
    expect(await hasher.verify('x'.repeat(71), imported)).toBe(false);
    expect(hasher.needsRehash(imported)).toBe(true);
    const replaced = await hasher.hash('x'.repeat(100));
    expect(await hasher.verify('x'.repeat(72), replaced)).toBe(false);
    expect(await hasher.verify('x'.repeat(100), replaced)).toBe(true);
  });

  test('S2 a short imported password still verifies', async () => {
    expect(await hasher.verify('x', { hash: hashSync('x', genSaltSync(4)), normalization: null })).toBe(true);
  });

  test('the hash of the reference implementation verifies', async () => {
    expect(await hasher.verify('password', { hash: REFERENCE, normalization: null })).toBe(true);
    expect(await hasher.verify('Password', { hash: REFERENCE, normalization: null })).toBe(false);
  });

  test('a hash that is weaker than ours, or not of NFKC, is to be replaced', async () => {
    const weak = {
      hash: await argon2Hash(PASSWORD, { memoryCost: 4_096, timeCost: 1 }),
      normalization: 'nfkc',
    };
    expect(await hasher.verify(PASSWORD, weak)).toBe(true);
    expect(hasher.needsRehash(weak)).toBe(true);
    expect(hasher.needsRehash({ hash: REFERENCE, normalization: null })).toBe(true);
    const stronger = createHasher({ argon2: { timeCost: 3 } });
    expect(stronger.needsRehash(await hasher.hash(PASSWORD))).toBe(true);
    const strong = await stronger.hash(PASSWORD);
    expect(strong.hash).toContain('$m=19456,t=3,p=1$');
    expect([stronger.needsRehash(strong), hasher.needsRehash(strong)]).toEqual([false, false]);
  });

  const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
  test.each([
    ['unknown format', {}],
    ['unknown format', { hash: null }],
    ['unknown format', { hash: { $ne: null } }],
    ['unknown format', { hash: '' }],
    ['unknown format', { hash: 'plain text' }],
    ['unknown format', { hash: '5f4dcc3b5aa765d61d8327deb882cf99' }],
    ['unknown format', { hash: '$2b$04$short' }],
    ['unknown format', { hash: '$argon2id$v=19$m=19456,t=2,p=1$AQEB' }],
    ['unknown format', { hash: REFERENCE, normalization: 'nfc' }],
    ['unknown format', { hash: REFERENCE, normalization: {} }],
    ['cost out of bounds', { hash: nobodysHash({ ...cost, memoryCost: 4_000_000 }) }],
    ['cost out of bounds', { hash: nobodysHash({ ...cost, timeCost: 4_000_000_000 }) }],
    ['cost out of bounds', { hash: nobodysHash({ ...cost, parallelism: 255 }) }],
    ['cost out of bounds', { hash: hashSync('password', genSaltSync(4)).replace('$04$', '$15$') }],
    ['cost out of bounds', { hash: hashSync('password', genSaltSync(4)).replace('$04$', '$31$') }],
  ])('S6 a hash of %s answers false, is reported and never crashes: %j', async (problem, record) => {
    problems.length = 0;
    expect(await hasher.verify('password', record)).toBe(false);
    expect(problems).toEqual([problem]);
  });

  test('S8 nobody has a password that verifies nothing', async () => {
    await expect(hasher.verifyNothing(PASSWORD)).resolves.toBeUndefined();
    expect(await hasher.verify(PASSWORD, { hash: nobodysHash(cost), normalization: 'nfkc' })).toBe(false);
  });

  test('S1 hashing leaves the event loop free', async () => {
    let turns = 0;
    let done = false;
    const hashed = Promise.all(Array.from({ length: 10 }, () => hasher.hash(PASSWORD))).finally(() => {
      done = true;
    });
    while (!done) {
      await new Promise(setImmediate);
      turns += 1;
    }
    expect((await hashed).length).toBe(10);
    expect(turns).toBeGreaterThan(100);
  });

  test('S1 two hundred logins at once are all served by the default queue', async () => {
    const record = await hasher.hash(PASSWORD);
    const answers = await Promise.all(Array.from({ length: 200 }, () => hasher.verify(PASSWORD, record)));
    expect(answers.every((answer) => answer)).toBe(true);
  });
});

describe('the queue of the hasher', () => {
  test('S1 is bounded: past it hash, verify and verifyNothing are BUSY and do no work', async () => {
    const gate = Promise.withResolvers<string>();
    const pair = countingPair();
    const hasher = createHasher({ ...pair, hashPassword: () => gate.promise, concurrency: 1, queueLimit: 1 });
    const served = [hasher.hash(PASSWORD), hasher.hash(PASSWORD)];
    expect(hasher.load).toEqual({ running: 1, waiting: 1 });
    const busy = { code: 'BUSY' };
    await expect(hasher.hash(PASSWORD)).rejects.toMatchObject(busy);
    await expect(hasher.verify(PASSWORD, { hash: 'plain:x' })).rejects.toMatchObject(busy);
    await expect(hasher.verifyNothing(PASSWORD)).rejects.toMatchObject(busy);
    expect(pair.calls).toEqual({ hash: 0, verify: 0 });
    gate.resolve('hash');
    await Promise.all(served);
    expect(hasher.load).toEqual({ running: 0, waiting: 0 });
  });

  test.each([{ concurrency: 0 }, { concurrency: 1.5 }, { queueLimit: -1 }, { argon2: { memoryCost: 8 } }])(
    'S1 cannot be made without sense: %j',
    (options) => {
      expect(() => createHasher(options)).toThrow(TypeError);
    },
  );
});

test('S3 what is too long, empty or not well formed is not hashed at all', async () => {
  const pair = countingPair();
  const hasher = createHasher(pair);
  for (const password of ['x'.repeat(129), 'x'.repeat(1_000_000), '', 'password\ud800']) {
    await expect(hasher.hash(password)).rejects.toMatchObject({ code: 'INVALID_PASSWORD' });
    expect(await hasher.verify(password, { hash: `plain:${password}` })).toBe(false);
    await hasher.verifyNothing(password);
  }
  expect(pair.calls).toEqual({ hash: 0, verify: 0 });
});

describe('a custom pair, as in accounts-js', () => {
  test('hashes NFKC and verifies both its own and imported hashes', async () => {
    const pair = countingPair();
    const hasher = createHasher(pair);
    const record = await hasher.hash('Zoe\u0308 ﬁnds');
    expect(record).toEqual({ hash: 'plain:Zoë finds', normalization: 'nfkc' });
    expect(await hasher.verify('Zoë finds', record)).toBe(true);
    expect(await hasher.verify('Zoe\u0308', { hash: 'plain:Zoe\u0308' })).toBe(true);
    expect(hasher.needsRehash(record)).toBe(false);
    expect(hasher.needsRehash({ hash: 'plain:Zoe\u0308' })).toBe(true);
  });

  test('is given together or not at all', () => {
    const { hashPassword, verifyPassword } = countingPair();
    expect(() => createHasher({ hashPassword })).toThrow(TypeError);
    expect(() => createHasher({ verifyPassword })).toThrow(TypeError);
  });

  test('S8 does one piece of work for a known user, an unknown one and a broken record', async () => {
    const pair = countingPair();
    const hasher = createHasher(pair);
    const works: number[] = [];
    for (const login of [
      () => hasher.verify(PASSWORD, { hash: `plain:${PASSWORD}`, normalization: 'nfkc' }),
      () => hasher.verify(PASSWORD, { hash: 'plain:other', normalization: 'nfkc' }),
      () => hasher.verify(PASSWORD, { hash: 7 }),
      () => hasher.verifyNothing(PASSWORD),
    ]) {
      const before = pair.calls.hash + pair.calls.verify;
      await login();
      works.push(pair.calls.hash + pair.calls.verify - before);
    }
    expect(works).toEqual([1, 1, 1, 1]);
  });

  test.each([1, 'true', {}, undefined])('only true is yes, not %j', async (answer) => {
    const pair = { ...countingPair(), verifyPassword: async () => answer as unknown as boolean };
    const problems: UnusableHash[] = [];
    const hasher = createHasher({ ...pair, report: (problem) => problems.push(problem) });
    expect(await hasher.verify(PASSWORD, { hash: 'x' })).toBe(false);
    expect([problems, pair.calls.hash]).toEqual([[], 0]);
  });

  test('that throws at one hash answers false and is reported, that is down throws', async () => {
    const problems: UnusableHash[] = [];
    const broken = {
      ...countingPair(),
      verifyPassword: () => Promise.reject(new Error('not a hash')),
      report: (problem: UnusableHash) => problems.push(problem),
    };
    expect(await createHasher(broken).verify(PASSWORD, { hash: 'x' })).toBe(false);
    expect(problems).toEqual(['verifier failed']);
    const down = { ...broken, hashPassword: () => Promise.reject(new Error('down')) };
    await expect(createHasher(down).verify(PASSWORD, { hash: 'x' })).rejects.toThrow('down');
  });

  test('that makes no string makes no record', async () => {
    const hasher = createHasher({ ...countingPair(), hashPassword: async () => 7 as unknown as string });
    await expect(hasher.hash(PASSWORD)).rejects.toThrow(TypeError);
  });
});
