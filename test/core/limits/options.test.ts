import { expect, test } from 'vitest';
import { resolveRateLimits } from '../../../src/core/limits/options.ts';
import { HOUR, MINUTE } from '../../../src/core/time.ts';

test('the limits are those of the contract', () => {
  expect(resolveRateLimits()).toEqual({
    accountGuesses: 9,
    accountDelay: MINUTE,
    accountMaxDelay: 15 * MINUTE,
    addressGuesses: 100,
    addressGuessWindow: 15 * MINUTE,
    addressSignUps: 30,
    addressMails: 30,
    recipientMails: 5,
  });
  expect(resolveRateLimits(false)).toBeNull();
});

test.each([
  [{ accountGuesses: 10 }, 'accountGuesses'],
  [{ accountGuesses: 0 }, 'accountGuesses'],
  [{ accountGuesses: 1.5 }, 'accountGuesses'],
  [{ addressGuesses: '100' }, 'addressGuesses'],
  [{ addressGuesses: Number.POSITIVE_INFINITY }, 'addressGuesses'],
  [{ recipientMails: -1 }, 'recipientMails'],
  [{ accountDelay: 2 * HOUR }, 'accountDelay'],
  [{ accountDelay: 0 }, 'accountDelay'],
  [{ addressGuessWindow: Number.NaN }, 'addressGuessWindow'],
  [{ guesses: 5 }, 'guesses'],
  [true, 'rateLimits'],
  [null, 'rateLimits'],
  [[], 'rateLimits'],
])('%o is refused with the name of what is wrong', (limits, name) => {
  expect(() => resolveRateLimits(limits as never)).toThrow(TypeError);
  expect(() => resolveRateLimits(limits as never)).toThrow(name);
});
