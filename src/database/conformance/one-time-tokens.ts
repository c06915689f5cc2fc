import { aToken, HOUR, NOW } from './records.ts';
import type { Bench } from './runner.ts';

export function oneTimeTokensConformance({ describe, on, expect }: Bench): void {
  describe('one-time tokens', () => {
    on('a token is found by its hash with all that was stored, as often as it is looked for', async (db) => {
      const token = aToken('key', 'hash', {
        data: { email: 'a', list: [1] },
        createdAt: NOW + 1,
        expiresAt: NOW + 2,
      });
      await db.oneTimeTokens.put(token);
      expect(await db.oneTimeTokens.find('hash')).toEqual(token);
      expect(await db.oneTimeTokens.find('hash')).toEqual(token);
      expect(await db.oneTimeTokens.find('Hash')).toBe(null);
    });

    on('a newer token with the same key voids the older one', async (db) => {
      await db.oneTimeTokens.put(aToken('key', 'old'));
      const newer = aToken('key', 'new', {
        purpose: 'verify-email',
        userId: 'bob',
        data: { a: 1 },
        createdAt: NOW + 1,
        expiresAt: NOW + 2,
      });
      await db.oneTimeTokens.put(newer);
      expect(await db.oneTimeTokens.find('old')).toBe(null);
      expect(await db.oneTimeTokens.consume('old', 'reset-password')).toBe(null);
      expect(await db.oneTimeTokens.find('new')).toEqual(newer);
    });

    on('tokens with different keys live side by side', async (db) => {
      await db.oneTimeTokens.put(aToken('1', 'one'));
      await db.oneTimeTokens.put(aToken('2', 'two'));
      expect(await db.oneTimeTokens.find('one')).toEqual(aToken('1', 'one'));
      expect(await db.oneTimeTokens.find('two')).toEqual(aToken('2', 'two'));
    });

    on('a token is consumed once, and then its key is free', async (db) => {
      await db.oneTimeTokens.put(aToken('key', 'hash', { data: { a: [1] } }));
      expect(await db.oneTimeTokens.consume('hash', 'reset-password')).toEqual(
        aToken('key', 'hash', { data: { a: [1] } }),
      );
      expect(await db.oneTimeTokens.consume('hash', 'reset-password')).toBe(null);
      expect(await db.oneTimeTokens.find('hash')).toBe(null);
      await db.oneTimeTokens.put(aToken('key', 'next'));
      expect(await db.oneTimeTokens.find('next')).toEqual(aToken('key', 'next'));
    });

    on('a token is not consumed for another purpose, and stays', async (db) => {
      await db.oneTimeTokens.put(aToken('key', 'hash'));
      expect(await db.oneTimeTokens.consume('hash', 'verify-email')).toBe(null);
      expect(await db.oneTimeTokens.find('hash')).toEqual(aToken('key', 'hash'));
      expect(await db.oneTimeTokens.consume('unknown', 'reset-password')).toBe(null);
    });

    on("a user's tokens are removed, of one purpose or of all, and nobody else's", async (db) => {
      await db.oneTimeTokens.put(aToken('1', 'reset'));
      await db.oneTimeTokens.put(aToken('2', 'verify', { purpose: 'verify-email' }));
      await db.oneTimeTokens.put(aToken('3', 'enrol', { purpose: 'enrol' }));
      await db.oneTimeTokens.put(aToken('4', 'of bob', { userId: 'bob' }));
      const left = async (): Promise<string[]> => {
        const hashes = ['reset', 'verify', 'enrol', 'of bob'];
        const found = await Promise.all(hashes.map((hash) => db.oneTimeTokens.find(hash)));
        return hashes.filter((_, place) => found[place] !== null);
      };
      await db.oneTimeTokens.removeByUser('ada', 'reset-password');
      expect(await left()).toEqual(['verify', 'enrol', 'of bob']);
      await db.oneTimeTokens.removeByUser('ada', 'unknown purpose');
      expect(await left()).toEqual(['verify', 'enrol', 'of bob']);
      await db.oneTimeTokens.removeByUser('ada');
      expect(await left()).toEqual(['of bob']);
    });

    on('the one with a key is removed, and no other', async (db) => {
      await db.oneTimeTokens.put(aToken('1', 'first'));
      await db.oneTimeTokens.put(aToken('2', 'second'));
      await db.oneTimeTokens.remove('1');
      await db.oneTimeTokens.remove('unknown');
      expect(await db.oneTimeTokens.find('first')).toBe(null);
      expect((await db.oneTimeTokens.find('second'))?.key).toBe('2');
    });

    on('what has expired is removed and counted', async (db) => {
      await db.oneTimeTokens.put(aToken('1', 'past', { expiresAt: NOW - 1 }));
      await db.oneTimeTokens.put(aToken('2', 'long past', { expiresAt: NOW - 1e9 }));
      await db.oneTimeTokens.put(aToken('3', 'alive', { expiresAt: NOW + HOUR }));
      const stored = await Promise.all(['past', 'long past'].map((hash) => db.oneTimeTokens.find(hash)));
      const before = stored.filter((token) => token !== null);
      expect(await db.oneTimeTokens.removeExpired(NOW)).toBe(before.length);
      expect(await db.oneTimeTokens.removeExpired(NOW)).toBe(0);
      expect(await db.oneTimeTokens.find('past')).toBe(null);
      expect(await db.oneTimeTokens.removeExpired(NOW + HOUR)).toBe(0);
      expect((await db.oneTimeTokens.find('alive'))?.key).toBe('3');
    });

    on('what the caller does to its records changes nothing that is stored', async (db) => {
      const token = aToken('key', 'hash', { data: { list: [1] } });
      await db.oneTimeTokens.put(token);
      token.data.list = 2;
      const found = await db.oneTimeTokens.find('hash');
      if (found) found.data.list = 3;
      expect(await db.oneTimeTokens.find('hash')).toEqual(aToken('key', 'hash', { data: { list: [1] } }));
    });
  });
}
