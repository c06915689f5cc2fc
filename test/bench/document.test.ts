import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FIGURES = /(<!-- figures: \w+ -->\n)[\s\S]*?(\n<!-- end -->)/g;

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8').replaceAll(FIGURES, '$1$2');
}

test('the page on performance is its template, with figures', () => {
  const [, ...page] = textOf('docs/performance.md').split('\n\n');
  expect(page.join('\n\n')).toBe(textOf('bench/performance.template.md'));
});
