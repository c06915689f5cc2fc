// A run ends by saying which stores it has exercised: a store that was skipped must not look tested.
import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../.tmp');
const FILE = join(FOLDER, 'stores');

/** Says that the tests of a store run. */
export function exercised(store: string): void {
  appendFileSync(FILE, `${store}\n`);
}

export function setup(): void {
  mkdirSync(FOLDER, { recursive: true });
  rmSync(FILE, { force: true });
  appendFileSync(FILE, '');
}

export function teardown(): void {
  const stores = new Set(readFileSync(FILE, 'utf8').split('\n').filter(Boolean));
  console.log(`Stores exercised: ${stores.size > 0 ? [...stores].sort().join(', ') : 'none'}`);
}
