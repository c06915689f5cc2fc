import { expect, test } from 'vitest';
import { createQueue } from '../../../src/services/password/queue.ts';

test('S1 the queue runs as many at once as it has lanes, in the order they came', async () => {
  const queue = createQueue(2, 10);
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const all = gates.map((gate, index) =>
    queue.run(async () => {
      begun.push(index);
      await gate.promise;
      return index;
    }),
  );
  expect(begun).toEqual([0, 1]);
  expect([queue.running, queue.waiting]).toEqual([2, 3]);
  gates[1]?.resolve();
  await all[1];
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

test('S1 what finds every place taken is BUSY and never begins', async () => {
  const queue = createQueue(1, 2);
  const gate = Promise.withResolvers<void>();
  const served = [1, 2, 3].map(() => queue.run(() => gate.promise));
  let begun = false;
  const refused = queue.run(async () => {
    begun = true;
  });
  await expect(refused).rejects.toMatchObject({ code: 'BUSY', retryable: true });
  expect(begun).toBe(false);
  gate.resolve();
  await Promise.all(served);
  await expect(queue.run(async () => 'again')).resolves.toBe('again');
});

test('work that fails gives its lane back', async () => {
  const queue = createQueue(1, 5);
  const failing = [1, 2, 3].map(() => queue.run(() => Promise.reject(new Error('no'))));
  const settled = await Promise.allSettled(failing);
  expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
  await expect(
    queue.run(() => {
      throw new Error('at once');
    }),
  ).rejects.toThrow('at once');
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

test('S1 a newcomer does not take the lane of one who waits', async () => {
  const queue = createQueue(1, 5);
  const order: string[] = [];
  const newcomers: Promise<unknown>[] = [];
  const first = queue.run(async () => {
    order.push('first');
  });
  const waiting = queue.run(async () => {
    order.push('waiting');
  });
  newcomers.push(
    first.then(() =>
      queue.run(async () => {
        order.push('newcomer');
      }),
    ),
  );
  await Promise.all([first, waiting, ...newcomers]);
  expect(order).toEqual(['first', 'waiting', 'newcomer']);
});
