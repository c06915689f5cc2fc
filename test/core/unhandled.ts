import { afterEach } from 'vitest';

const watches: (() => unknown)[] = [];
afterEach(() => {
  for (const end of watches.splice(0)) end();
});

/** The rejections that nobody handles until the end of the test. Vitest would blame the file for them, not the test. */
export function watchUnhandled(): unknown[] {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  watches.push(() => process.off('unhandledRejection', note));
  return unhandled;
}

/** Lets everything run that waits for nothing outside. */
export async function turns(count: number = 10): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
