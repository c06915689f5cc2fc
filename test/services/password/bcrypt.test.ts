import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { genSaltSync, hashSync } from 'bcryptjs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createBcryptVerifier, parseBcrypt } from '../../../src/services/password/bcrypt.ts';

// From the test vectors of Openwall's crypt_blowfish, where bcrypt has its $2y$ from.
const VECTORS = [
  ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['U*U*', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'],
  ['U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
  [
    '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored',
    '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui',
  ],
] as const;

const verifier = createBcryptVerifier();

afterEach(() => {
  vi.useRealTimers();
});

describe('parseBcrypt', () => {
  test.each(['$2a$', '$2b$', '$2y$'])('knows %s', (prefix) => {
    const hash = hashSync('password', genSaltSync(4)).replace(/^\$2b\$/, prefix);
    expect(parseBcrypt(hash)).toEqual({ cost: 4 });
  });

  const hash = hashSync('password', genSaltSync(4));
  test.each([
    '',
    '$2b$04$',
    hash.slice(0, -1),
    `${hash}x`,
    `${hash}\n`,
    hash.replace('$2b$', '$2x$'),
    hash.replace('$2b$', '$2$'),
    hash.replace('$04$', '$03$'),
    hash.replace('$04$', '$32$'),
    hash.replace('$04$', '$99$'),
    hash.replace('$04$', '$4a$'),
    `${hash.slice(0, -1)}!`,
    'x'.repeat(60),
  ])('S6 does not know %j', (foreign) => {
    expect(parseBcrypt(foreign)).toBeNull();
  });
});

test.each(VECTORS)('S2 the known password verifies: %s', async (password, hash) => {
  expect(await verifier.verify(password, hash)).toBe(true);
  expect(await verifier.verify(`x${password}`, hash)).toBe(false);
  expect(await verifier.verify(password, hash.replace('$2a$', '$2y$'))).toBe(true);
});

test('S2 a hash that bcryptjs made, as accounts-js does, verifies', async () => {
  const hash = hashSync('pässwörd 😀', genSaltSync(4));
  expect(await verifier.verify('pässwörd 😀', hash)).toBe(true);
  expect(await verifier.verify('pässwörd', hash)).toBe(false);
});

test('S2 the first 72 bytes decide, also in the middle of a character', async () => {
  const hash = hashSync(`${'x'.repeat(72)}and more`, genSaltSync(4));
  expect(await verifier.verify('x'.repeat(72), hash)).toBe(true);
  expect(await verifier.verify(`${'x'.repeat(72)}and else`, hash)).toBe(true);
  expect(await verifier.verify('x'.repeat(71), hash)).toBe(false);
  const umlauts = hashSync(`x${'ü'.repeat(60)}`, genSaltSync(4));
  expect(await verifier.verify(`x${'ü'.repeat(50)}`, umlauts)).toBe(true);
  expect(await verifier.verify(`x${'ü'.repeat(34)}`, umlauts)).toBe(false);
});

test('S1 bcrypt runs beside the event loop: it turns while a hash is computed', async () => {
  const hash = hashSync('password', genSaltSync(10));
  let turns = 0;
  let done = false;
  const verified = verifier.verify('password', hash).finally(() => {
    done = true;
  });
  // bcryptjs on this thread would let it turn once in 100 ms.
  while (!done) {
    await new Promise(setImmediate);
    turns += 1;
  }
  expect(await verified).toBe(true);
  expect(turns).toBeGreaterThan(100);
});

test('as many run at once as are asked for, and an idle thread is used again', async () => {
  const own = createBcryptVerifier();
  const hash = hashSync('password', genSaltSync(4));
  const answers = await Promise.all(
    ['password', 'wrong', 'password'].map((password) => own.verify(password, hash)),
  );
  expect(answers).toEqual([true, false, true]);
  expect(own.threads).toBe(3);
  await own.verify('password', hash);
  expect(own.threads).toBe(3);
});

test('idle threads end after a while, and a new one is started when needed', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const own = createBcryptVerifier();
  const hash = hashSync('password', genSaltSync(4));
  await own.verify('password', hash);
  expect(own.threads).toBe(1);
  await vi.advanceTimersByTimeAsync(60_000);
  while (own.threads > 0) await new Promise(setImmediate);
  expect(await own.verify('password', hash)).toBe(true);
});

test('a thread keeps the program alive while it works, and not when it is idle', async () => {
  const hash = hashSync('password', genSaltSync(4));
  const file = new URL('../../../src/services/password/bcrypt.ts', import.meta.url);
  // `beforeExit` comes when nothing keeps the program alive any more: here, while the idle thread still lives.
  const program = `
    import { createBcryptVerifier } from ${JSON.stringify(file.href)};
    const verifier = createBcryptVerifier();
    verifier.verify('password', ${JSON.stringify(hash)}).then((answer) => console.log(answer));
    process.once('beforeExit', () => console.log(verifier.threads));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const [code] = await once(child, 'close');
  expect([code, printed]).toEqual([0, 'true\n1\n']);
});
