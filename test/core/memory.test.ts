import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { DAY } from '../../src/core/time.ts';
import { codeOf, createAccounts, PASSWORD } from '../accounts.ts';

test('S57 logins, refreshes, refusals and mails leave nothing in memory', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { server, service, mails, logIn, signUp, clock } = createAccounts({
    useStatelessSession: true,
    onError: () => {},
  });
  await signUp({ username: 'ada', email: 'ada@example.com' });

  const visit = async (count: number): Promise<void> => {
    const from = { ip: `192.0.2.${count}`, userAgent: `agent ${count}` };
    const { tokens } = await server.loginWithService('password', { user: 'ada', password: PASSWORD }, from);
    server.resumeRequester(tokens.accessToken);
    if (count % 4 > 0) return;
    await codeOf(logIn(`nobody${count}`));
    await codeOf(server.loginWithService(`service ${count}`, {}, from));
    await codeOf(() => server.resumeRequester(`${tokens.accessToken}A`));
    await codeOf(server.refreshTokens(tokens.accessToken, tokens.refreshToken, from));
    await service.sendResetPasswordEmail(`nobody${count}@example.com`);
  };
  let count = 0;
  const round = async (size: number): Promise<number> => {
    for (let done = 0; done < size; done += 100) {
      await Promise.all(Array.from({ length: 100 }, () => visit(++count)));
    }
    // The memory database would keep what a real one keeps on its disk.
    await server.settled();
    clock.pass(31 * DAY);
    await server.removeExpired();
    mails.length = 0;
    collect();
    return process.memoryUsage().heapUsed;
  };

  // Until the tokens that are remembered are as many as they may be.
  const full = await round(10_500);
  const later = await round(4_000);
  // A hundred bytes that are kept of each login would be more.
  expect(later - full).toBeLessThan(400_000);
}, 60_000);
