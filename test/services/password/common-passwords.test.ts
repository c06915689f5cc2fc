import { dictionary } from '@zxcvbn-ts/language-common';
import { expect, test } from 'vitest';
import { isCommonPassword } from '../../../src/services/password/common-passwords.ts';

test('S5 the list has at least 10,000 passwords that are long enough to be chosen', () => {
  const long = new Set(dictionary['passwords-common'].filter((password) => password.length >= 8));
  expect(long.size).toBeGreaterThanOrEqual(10_000);
});

test.each([
  'password',
  'password1',
  'password123',
  'qwertyuiop',
  '12345678',
  '123456789',
  'iloveyou1',
  'sunshine',
  'trustno1',
  'football1',
  'passw0rd',
  'PassWord1',
  'P@ssw0rd',
  'ｐａｓｓｗｏｒｄ',
])('S5 %s is common', async (password) => {
  expect(await isCommonPassword(password)).toBe(true);
});

test.each([
  'correct horse battery staple',
  'vR7-mellow-otter',
  'password of my very own',
  '__proto__',
  'constructor',
])('S5 %s is not', async (password) => {
  expect(await isCommonPassword(password)).toBe(false);
});

test.each([
  ['their address', 'Ada.Lovelace@Example.com', ['ada.lovelace@example.com']],
  ['the front of their address', 'ada.LOVELACE', ['ada.lovelace@example.com']],
  ['their username', 'AdaLovelace', ['adalovelace']],
  ['their username in full width', 'ａｄａｌｏｖｅｌａｃｅ', ['AdaLovelace']],
  ['the second of the words', 'lovelace1815', ['ada@example.com', 'lovelace1815']],
])('S5 a password that is %s is common for them, and only for them', async (_, password, words) => {
  expect(await isCommonPassword(password, words)).toBe(true);
  expect(await isCommonPassword(password, ['somebody.else@example.com'])).toBe(false);
});

test('S5 words that say nothing refuse nothing', async () => {
  expect(await isCommonPassword('vR7-mellow-otter', ['', ' ', '@', '@example.com'])).toBe(false);
});
