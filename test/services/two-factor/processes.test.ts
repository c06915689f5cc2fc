import { afterEach, expect, test } from 'vitest';
import { sqliteDatabase } from '../../../src/database/sqlite/index.ts';
import { start, stopAll } from '../../database/fixtures/children.ts';
import { newPath } from '../../database/fixtures/paths.ts';
import { codeAt, createTwoFactor, STEP, tally } from './accounts.ts';

afterEach(stopAll);

test('S33 S35 of 16 uses of one code in each of two processes one succeeds', async () => {
  const path = newPath();
  const { enrolled, generate, clock } = createTwoFactor({ options: { db: sqliteDatabase(path) } });
  const { token, secret } = await enrolled('ada');
  const recovery = await generate(token);
  const script = new URL('./fixtures/use-codes.ts', import.meta.url).pathname;
  const children = [0, 1].map(() => start(script, path, String(clock.now())));
  for (const child of children) expect(await child.line()).toBe('ready');
  // The next step is in the window already.
  const totp = [0, 1].map((steps) => codeAt(secret, clock.now() + steps * STEP));
  for (const code of [...totp, ...recovery.slice(0, 5)]) {
    for (const child of children) child.say(code);
    const won = await Promise.all(children.map((child) => child.line()));
    expect(won.toSorted()).toEqual(['0', '1']);
  }
});

test('S33 of 16 uses of one code one succeeds, in one step and in two', async () => {
  for (const db of [undefined, sqliteDatabase(newPath())]) {
    const { enrolled, logIn, clock } = createTwoFactor({ options: { ...(db && { db }), rateLimits: false } });
    const { code } = await enrolled('ada');
    for (let round = 0; round < 3; round++) {
      const outcomes = await Promise.all(Array.from({ length: 16 }, () => logIn('ada', { code: code() })));
      expect(tally(outcomes.map((outcome) => outcome.code))).toEqual({ null: 1, INVALID_CODE: 15 });
      clock.pass(STEP);
    }
  }
});
