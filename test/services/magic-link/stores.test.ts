import { expect } from 'vitest';
import { codeOf } from '../../accounts.ts';
import { type RunningStore, SQLITE, STORES } from '../../servers/stores.ts';
import { describeEachStore, type On } from '../../stores/each-store.ts';
import { openStores } from '../../stores/fixtures/operations.ts';
import { createMailed } from './accounts.ts';

describeEachStore('a mailed link and a mailed code on $name', [SQLITE, ...STORES], () => {
  let opened: Awaited<ReturnType<typeof openStores>>;
  let mailed: ReturnType<typeof createMailed>;

  const prepare = async (store: RunningStore): Promise<void> => {
    opened = await openStores(await store.newSettings());
    mailed = createMailed({ options: { db: opened.db }, now: Date.now });
  };

  /** How many of 16 at once get in; of the others some come after nine wrong guesses in a row. */
  const letIn = async (work: () => Promise<unknown>): Promise<number> => {
    const codes = await Promise.all(Array.from({ length: 16 }, () => codeOf(work())));
    const refused = codes.filter((code) => /^(INVALID_TOKEN|INVALID_CODE|RATE_LIMITED)$/.test(code));
    expect(codes.filter((code) => code === 'not refused')).toHaveLength(16 - refused.length);
    return 16 - refused.length;
  };

  const tests = (on: On): void => {
    on('S28 each works once', async () => {
      const email = 'ada@example.com';
      await mailed.signUp(email);
      const link = await mailed.link(email);
      expect(await letIn(() => mailed.byLink(link))).toBe(1);
      const code = await mailed.code(email);
      expect(await letIn(() => mailed.byCode(email, code))).toBe(1);
    });

    on('S39 the first proof takes the account over', async () => {
      const email = 'victim@example.com';
      const id = await mailed.signUp(email);
      const { sessionId } = await mailed.byPassword(email);
      await mailed.byCode(email, await mailed.code(email));
      expect(await codeOf(mailed.byPassword(email))).toBe('INVALID_CREDENTIALS');
      const sessions = await mailed.db.sessions.findByUser(id);
      expect(sessions.map((session) => session.id)).not.toContain(sessionId);
      expect(sessions).toHaveLength(1);
    });
  };

  return { prepare, finish: () => opened?.close(), tests };
});
