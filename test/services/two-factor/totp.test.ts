import { describe, expect, test } from 'vitest';
import { bytesOf, isTotpCode, newSecret, stepOf } from '../../../src/services/two-factor/totp.ts';
import { codeAt, createTwoFactor, STEP } from './accounts.ts';

/** `12345678901234567890`, the secret of RFC 6238's vectors for SHA-1. */
const OF_THE_RFC = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

/** RFC 6238, appendix B: the last six of its eight digits. */
const VECTORS = [
  { seconds: 59, code: '287082' },
  { seconds: 1_111_111_109, code: '081804' },
  { seconds: 1_111_111_111, code: '050471' },
  { seconds: 1_234_567_890, code: '005924' },
  { seconds: 2_000_000_000, code: '279037' },
  { seconds: 20_000_000_000, code: '353130' },
];

describe('TOTP', () => {
  test.each(VECTORS)('S33 RFC 6238: at $seconds s the code is $code', ({ seconds, code }) => {
    expect(stepOf(OF_THE_RFC, code, seconds * 1_000, null)).toBe(Math.floor(seconds / 30));
    expect(codeAt(OF_THE_RFC, seconds * 1_000)).toBe(code);
  });

  test.each(VECTORS.slice(1, 5))(
    'S33 at $seconds s the code $code logs in, by the clock',
    async ({ seconds, code }) => {
      const accounts = createTwoFactor();
      accounts.clock.pass(seconds * 1_000 - accounts.clock.now());
      await accounts.imported('ada', OF_THE_RFC);
      expect(await accounts.logIn('ada', { code })).toMatchObject({ code: null });
    },
  );

  test.each([
    { steps: -2, good: false },
    { steps: -1, good: true },
    { steps: 0, good: true },
    { steps: 1, good: true },
    { steps: 2, good: false },
  ])('S33 a code that is $steps steps away is good: $good', ({ steps, good }) => {
    const now = Date.UTC(2026, 0, 1);
    for (const within of [0, 1, STEP - 1]) {
      const step = stepOf(OF_THE_RFC, codeAt(OF_THE_RFC, now + steps * STEP), now + within, null);
      expect(step).toBe(good ? now / STEP + steps : null);
    }
  });

  test('S33 a step that was used, and every one before it, is not good again', () => {
    const now = Date.UTC(2026, 0, 1);
    const current = now / STEP;
    const code = (steps: number) => codeAt(OF_THE_RFC, now + steps * STEP);
    expect(stepOf(OF_THE_RFC, code(0), now, current)).toBe(null);
    expect(stepOf(OF_THE_RFC, code(-1), now, current)).toBe(null);
    expect(stepOf(OF_THE_RFC, code(1), now, current)).toBe(current + 1);
    expect(stepOf(OF_THE_RFC, code(1), now, current + 1)).toBe(null);
  });

  test('S33 after the clock was put back, used steps stay used, and it is no error', () => {
    const now = Date.UTC(2026, 0, 1);
    expect(stepOf(OF_THE_RFC, codeAt(OF_THE_RFC, now), now, now / STEP + 1_000)).toBe(null);
  });

  test.each([
    '28708',
    '2870820',
    ' 287082',
    '287082 ',
    '287082\n',
    '287 082',
    '٢٨٧٠٨٢',
    '２８７０８２',
    '+87082',
    '2e7082',
    '',
  ])('S33 exactly six ASCII digits: %j is no code', (code) => {
    expect(isTotpCode(code)).toBe(false);
    expect(stepOf(OF_THE_RFC, code, 59_000, null)).toBe(null);
  });

  test('S32 a new secret has 160 bits and is never the same', () => {
    const secrets = Array.from({ length: 1_000 }, newSecret);
    expect(new Set(secrets).size).toBe(1_000);
    for (const secret of secrets) {
      expect(secret).toMatch(/^[A-Z2-7]{32}$/);
      expect(bytesOf(secret)).toHaveLength(20);
    }
  });

  test.each([
    { base32: 'GEZDGNBVGY3TQOJQ', bytes: '1234567890' },
    {
      base32: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA',
      bytes: '1234567890123456789012345678901234',
    },
    { base32: 'MFRGGZDFMZTWQ2LK', bytes: 'abcdefghij' },
  ])('reads the secret $base32 of an imported user, of whatever length', ({ base32, bytes }) => {
    expect(Buffer.from(bytesOf(base32)).toString()).toBe(bytes);
  });
});
