import { expect, test } from 'vitest';
import {
  ARGON2_MAXIMUM,
  ARGON2_MINIMUM,
  argon2Cost,
  isAffordable,
  isWeaker,
  nobodysHash,
  parseArgon2,
} from '../../../src/services/password/phc.ts';

const SALT = 'AQEBAQEBAQEBAQEBAQEBAQ';
const OUTPUT = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

test('a PHC string tells its cost', () => {
  expect(parseArgon2(`$argon2id$v=19$m=65536,t=3,p=4$${SALT}$${OUTPUT}`)).toEqual({
    variant: 'argon2id',
    memoryCost: 65_536,
    timeCost: 3,
    parallelism: 4,
    saltLength: 16,
    outputLength: 32,
  });
  expect(parseArgon2(nobodysHash(ARGON2_MINIMUM))).toMatchObject(ARGON2_MINIMUM);
});

test.each([
  '',
  'argon2id',
  `$argon2d$v=19$m=19456,t=2,p=1$${SALT}$${OUTPUT}`,
  `$argon2id$m=19456,t=2,p=1$${SALT}$${OUTPUT}`,
  `$argon2id$v=16$m=19456,t=2,p=1$${SALT}$${OUTPUT}`,
  `$argon2id$v=19$t=2,m=19456,p=1$${SALT}$${OUTPUT}`,
  `$argon2id$v=19$m=019456,t=2,p=1$${SALT}$${OUTPUT}`,
  `$argon2id$v=19$m=-1,t=2,p=1$${SALT}$${OUTPUT}`,
  `$argon2id$v=19$m=0,t=2,p=1$${SALT}$${OUTPUT}`,
  `$argon2id$v=19$m=1e9,t=2,p=1$${SALT}$${OUTPUT}`,
  `$argon2id$v=19$m=99999999999,t=2,p=1$${SALT}$${OUTPUT}`,
  `$argon2id$v=19$m=19456,t=2,p=1,keyid=x$${SALT}$${OUTPUT}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}`,
  `$argon2id$v=19$m=19456,t=2,p=1$$${OUTPUT}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${OUTPUT}\n`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${OUTPUT}=`,
  `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(400)}$${OUTPUT}`,
])('S6 what is no argon2 hash of version 1.3 is not read: %j', (hash) => {
  expect(parseArgon2(hash)).toBeNull();
});

test('S6 an output so short that it could be guessed is not read', () => {
  expect(parseArgon2(`$argon2id$v=19$m=19456,t=2,p=1$${SALT}$AAAAAA`)).toBeNull();
});

test.each([
  ['memory', { memoryCost: ARGON2_MAXIMUM.memoryCost + 1 }],
  ['passes', { timeCost: ARGON2_MAXIMUM.timeCost + 1 }],
  ['lanes', { parallelism: ARGON2_MAXIMUM.parallelism + 1 }],
])('S6 a hash of too many %s is not affordable, the most allowed is', (_, over) => {
  expect(isAffordable(ARGON2_MAXIMUM)).toBe(true);
  expect(isAffordable({ ...ARGON2_MAXIMUM, ...over })).toBe(false);
});

test('a hash is weaker by variant, memory, passes, salt or output', () => {
  const today = { ...ARGON2_MINIMUM, variant: 'argon2id', saltLength: 16, outputLength: 32 } as const;
  expect(isWeaker(today, ARGON2_MINIMUM)).toBe(false);
  expect(isWeaker({ ...today, memoryCost: 65_536, timeCost: 3 }, ARGON2_MINIMUM)).toBe(false);
  expect(isWeaker({ ...today, variant: 'argon2i' }, ARGON2_MINIMUM)).toBe(true);
  expect(isWeaker({ ...today, memoryCost: 4_096 }, ARGON2_MINIMUM)).toBe(true);
  expect(isWeaker({ ...today, timeCost: 1 }, ARGON2_MINIMUM)).toBe(true);
  expect(isWeaker({ ...today, saltLength: 8 }, ARGON2_MINIMUM)).toBe(true);
  expect(isWeaker({ ...today, outputLength: 16 }, ARGON2_MINIMUM)).toBe(true);
});

test.each([
  { memoryCost: 19_455 },
  { memoryCost: 262_145 },
  { timeCost: 1 },
  { timeCost: 11 },
  { parallelism: 0 },
  { parallelism: 9 },
  { memoryCost: 19_456.5 },
  { timeCost: Number.NaN },
])('S1 a cost below the least or above what we would verify stops the start: %j', (cost) => {
  expect(() => argon2Cost(cost)).toThrow(TypeError);
});

test('S1 the default is 19 MiB, two passes, one lane', () => {
  expect(argon2Cost()).toEqual({ memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  expect(argon2Cost({ memoryCost: 65_536 })).toEqual({ memoryCost: 65_536, timeCost: 2, parallelism: 1 });
});
