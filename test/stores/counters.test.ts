import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Child, start, stop } from '../database/fixtures/children.ts';
import { SQLITE, STORES } from '../servers/stores.ts';
import { describeEachStore } from './each-store.ts';
import { openStores } from './fixtures/operations.ts';

const HOUR = 3_600_000;
const upTo = (last: number): number[] => Array.from({ length: last }, (_, n) => n + 1);

describeEachStore('counters of two processes on $name', [SQLITE, ...STORES], () => {
  let children: Child[] = [];
  return {
    finish: () => stop(children),
    tests: (on) => {
      on('S10 S16 count every guess of both, and one of them begins anew what has ended', async (store) => {
        const settings = await store.newSettings();
        const { db, close } = await openStores(settings);
        const script = fileURLToPath(new URL('./fixtures/count.ts', import.meta.url));
        children = [1, 2].map(() => start(script, JSON.stringify(settings)));
        for (const child of children) expect(await child.line()).toBe('ready');
        const addAtOnce = async (key: string, now: number): Promise<number[]> => {
          for (const child of children) child.say(JSON.stringify({ key, now }));
          const sums = await Promise.all(children.map(async (child) => JSON.parse(await child.line())));
          return (sums.flat() as number[]).sort((a, b) => a - b);
        };
        const counters = db.sessions.counters ?? db.counters;
        const now = Date.now();
        for (let n = 0; n < 3; n++) {
          const key = `login ${n}`;
          expect(await addAtOnce(key, now)).toEqual(upTo(100));
          expect(await counters?.find(key)).toEqual({ key, points: 100, expiresAt: now + HOUR });
          expect(await addAtOnce(key, now + HOUR)).toEqual(upTo(100));
          expect(await counters?.find(key)).toEqual({ key, points: 100, expiresAt: now + 2 * HOUR });
        }
        await close();
      });
    },
  };
});
