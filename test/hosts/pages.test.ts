// What the pages of the hosts show is what `npm run test:hosts` runs.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HOSTS } from './hosts.ts';
import { pageOf, pathOf } from './pages.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');
/** Examples of something else than a host. */
const OTHERS: readonly string[] = ['mongodb-redis', 'passkeys'];

test.each(HOSTS)('the page of $title is made of its example (node test/hosts/pages.ts)', (host) => {
  expect(existsSync(pathOf(host))).toBe(true);
  expect(readFileSync(pathOf(host), 'utf8')).toBe(pageOf(host));
});

test('every example of a host is tried', () => {
  const tried = HOSTS.map(({ folder }) => folder);
  expect(readdirSync(EXAMPLES).sort()).toEqual([...tried, ...OTHERS].sort());
});

test.each(HOSTS)('the example of $title names what it imports', ({ folder }) => {
  const { dependencies } = JSON.parse(readFileSync(join(EXAMPLES, folder, 'package.json'), 'utf8')) as {
    dependencies: object;
  };
  const texts = (readdirSync(join(EXAMPLES, folder), { recursive: true }) as string[])
    .filter((file) => /\.(ts|tsx|mjs)$/.test(file) && !file.includes('node_modules'))
    .map((file) => readFileSync(join(EXAMPLES, folder, file), 'utf8'));
  const imported = texts
    .flatMap((text) => [...text.matchAll(/(?:from|import) '([^'.][^']*)'/g)].map(([, name = '']) => name))
    .filter((name) => !name.startsWith('node:'))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  expect(imported.filter((name) => !Object.hasOwn(dependencies, name))).toEqual([]);
});

test.each(HOSTS)('the README of $title is one screen', ({ folder }) => {
  expect(readFileSync(join(EXAMPLES, folder, 'README.md'), 'utf8').split('\n').length).toBeLessThan(45);
});
