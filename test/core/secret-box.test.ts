import { describe, expect, test } from 'vitest';
import { createSecretBox, encryptionKeyOf } from '../../src/core/secret-box.ts';

const OLD = 'the old key of the tests that has more than 32 bytes';
const NEW = 'the new key of the tests that has more than 32 bytes';
const OWNER = { service: 'totp', subject: 'ada' };
const TEXT = 'JBSWY3DPEHPK3PXP';

describe('a secret box', () => {
  const box = createSecretBox([OLD]);

  test('opens what it has sealed, and shows nothing of it', () => {
    const sealed = box.seal(TEXT, OWNER);
    expect(box.open(sealed, OWNER)).toBe(TEXT);
    expect(sealed).not.toContain(TEXT);
    expect(sealed).not.toContain(Buffer.from(TEXT).toString('base64url'));
  });

  test('never gives the same box twice', () => {
    expect(box.seal(TEXT, OWNER)).not.toBe(box.seal(TEXT, OWNER));
  });

  test('holds an empty text and any other', () => {
    for (const text of ['', 'ﬁ \u{1f511}', 'x'.repeat(10_000)])
      expect(box.open(box.seal(text, OWNER), OWNER)).toBe(text);
  });

  test('does not open in the record of somebody else, nor of another service', () => {
    const sealed = box.seal(TEXT, OWNER);
    for (const other of [
      { service: 'totp', subject: 'eve' },
      { service: 'recovery', subject: 'ada' },
      { service: 'totp","ada', subject: '' },
    ])
      expect(box.open(sealed, other)).toBeNull();
  });

  test('does not open once a character was changed, cut off or added', () => {
    const sealed = box.seal(TEXT, OWNER);
    for (let index = 0; index < sealed.length; index++) {
      const other = sealed[index] === 'A' ? 'B' : 'A';
      const changed = sealed.slice(0, index) + other + sealed.slice(index + 1);
      // The last character of base64url may carry bits that nobody reads.
      const isSame = Buffer.from(changed, 'base64url').equals(Buffer.from(sealed, 'base64url'));
      if (!isSame) expect(box.open(changed, OWNER)).toBeNull();
    }
    expect(box.open(sealed.slice(0, -8), OWNER)).toBeNull();
    expect(box.open(`${sealed}AAAA`, OWNER)).toBeNull();
  });

  test.each(['', 'v1', 'v1...', 'v2.AAAAAAAAAAA.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA', TEXT])(
    'is not %j',
    (text) => {
      expect(box.open(text, OWNER)).toBeNull();
      expect(box.isCurrent(text)).toBe(false);
    },
  );
});

describe('the keys of a box', () => {
  test('rotate: the first seals, all open', () => {
    const before = createSecretBox([OLD]).seal(TEXT, OWNER);
    const rotated = createSecretBox([NEW, OLD]);
    expect(rotated.open(before, OWNER)).toBe(TEXT);
    expect(rotated.isCurrent(before)).toBe(false);
    const after = rotated.seal(TEXT, OWNER);
    expect(rotated.isCurrent(after)).toBe(true);
    expect(createSecretBox([NEW]).open(after, OWNER)).toBe(TEXT);
    expect(createSecretBox([NEW]).open(before, OWNER)).toBeNull();
  });

  test('have 32 bytes or more, and are never told', () => {
    const short = 'too short to be a key';
    expect(() => createSecretBox([short])).toThrow(TypeError);
    expect(() => createSecretBox([short])).not.toThrow(short);
    expect(() => createSecretBox([])).toThrow(TypeError);
  });

  test('derived from a token secret are the same each time, and not the secret', () => {
    const key = encryptionKeyOf(OLD);
    expect(key).toBe(encryptionKeyOf(OLD));
    expect(key).not.toBe(encryptionKeyOf(NEW));
    const box = createSecretBox([key]);
    expect(createSecretBox([OLD]).open(box.seal(TEXT, OWNER), OWNER)).toBeNull();
  });
});
