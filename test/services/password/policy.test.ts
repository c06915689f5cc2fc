import { describe, expect, test } from 'vitest';
import { checkMinLength, isHashable, validatePassword } from '../../../src/services/password/policy.ts';

const INVALID = expect.objectContaining({ code: 'INVALID_PASSWORD' });

describe('a new password', () => {
  test.each([
    'eight ch',
    '        ',
    'x'.repeat(128),
    'pässwörd',
    '😀'.repeat(8),
    '😀'.repeat(128),
    'e\u0301'.repeat(4),
    '\u0000'.repeat(8),
    'tab\tand\nbreak',
    '密码密码密码密码',
  ])('S3 is accepted with 8 to 128 code points of anything: %j', (password) => {
    expect(validatePassword(password)).toBe(password);
  });

  test.each(['', 'seven c', '😀'.repeat(7), 'x'.repeat(129), '😀'.repeat(129), 'x'.repeat(1_000_000)])(
    'S3 is refused with fewer or more (%#)',
    (password) => {
      expect(() => validatePassword(password)).toThrow(INVALID);
    },
  );

  test.each(['\ud800password', 'password\ud800', 'pass\udc00word', '\udc00\ud800password'])(
    'S4 is refused with a lone surrogate: %j',
    (password) => {
      expect(() => validatePassword(password)).toThrow(INVALID);
      expect(isHashable(password)).toBe(false);
    },
  );

  test.each([
    undefined,
    null,
    12_345_678,
    ['password1'],
    { length: 8 },
    { $ne: null },
    new String('password1'),
  ])('S43 is refused when it is no string (%#)', (password) => {
    expect(() => validatePassword(password)).toThrow(INVALID);
    expect(isHashable(password)).toBe(false);
  });

  test('may be asked to be longer, and the message says so', () => {
    expect(() => validatePassword('x'.repeat(11), 12)).toThrow(/between 12 and 128/);
    expect(validatePassword('x'.repeat(12), 12)).toBe('x'.repeat(12));
  });

  test('S46 is not in the error that refuses it', () => {
    try {
      validatePassword('canary7');
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toContain('canary7');
    }
  });
});

test('S3 a password of a megabyte is refused by its length, before anything reads it', () => {
  const read: PropertyKey[] = [];
  const original = String.prototype[Symbol.iterator];
  const { isWellFormed, normalize } = String.prototype;
  String.prototype[Symbol.iterator] = function counted() {
    read.push('iterator');
    return original.call(this);
  };
  String.prototype.isWellFormed = function counted() {
    read.push('isWellFormed');
    return isWellFormed.call(this);
  };
  String.prototype.normalize = function counted(form?: string) {
    read.push('normalize');
    return normalize.call(this, form);
  };
  let hashable: boolean;
  try {
    hashable = isHashable('x'.repeat(1_000_000));
  } finally {
    String.prototype[Symbol.iterator] = original;
    Object.assign(String.prototype, { isWellFormed, normalize });
  }
  expect(hashable).toBe(false);
  expect(read).toEqual([]);
});

test('S2 at login a short imported password may be hashed, an empty one may not', () => {
  expect(isHashable('x')).toBe(true);
  expect(isHashable('')).toBe(false);
  expect(isHashable('x'.repeat(128))).toBe(true);
  expect(isHashable('x'.repeat(129))).toBe(false);
});

test.each([7, 0, -1, 129, 8.5, Number.NaN])('S3 the least length cannot be %d', (minLength) => {
  expect(() => checkMinLength(minLength)).toThrow(TypeError);
});

test('S3 the least length is 8 unless it is said to be more', () => {
  expect([checkMinLength(), checkMinLength(undefined), checkMinLength(15)]).toEqual([8, 8, 15]);
});
