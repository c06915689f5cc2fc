import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { runnerOf } from '../../src/core/report.ts';
import { AccountsError } from '../../src/errors.ts';

test('what a service does waits until it is loaded', async () => {
  const loading = Promise.withResolvers<{ greet(): string }>();
  const run = runnerOf(() => {}, loading.promise);
  const answer = run(({ greet }) => greet());
  loading.resolve({ greet: () => 'hello' });
  expect(await answer).toBe('hello');
});

test('S45 a service that cannot be loaded is reported at once, and ends neither the process nor in an answer', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  try {
    const report = vi.fn();
    const missing = new Error('Cannot find module /srv/secret-place/argon2.node');
    const run = runnerOf<{ greet(): string }>(report, Promise.reject(missing));
    await nextTurn();
    expect(report.mock.calls).toEqual([[missing, 'loading a service']]);
    const refused = await run(({ greet }) => greet()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AccountsError);
    expect(refused).toMatchObject({ code: 'INTERNAL_SERVER_ERROR', message: 'Internal server error' });
    await nextTurn();
    expect(unhandled).not.toHaveBeenCalled();
  } finally {
    process.off('unhandledRejection', unhandled);
  }
});
