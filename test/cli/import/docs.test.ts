import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

test('the page on moving names every code of the report, and no other', () => {
  const source = readFileSync(join(ROOT, 'src/cli/import/finding.ts'), 'utf8');
  const codes = [...source.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(15);
  const page = readFileSync(join(ROOT, 'docs/moving-from-accounts-js.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|/gm)];
  const named = rows.flatMap(([, cell = '']) => cell.match(/[A-Z_]+/g) ?? []);
  expect(named.sort()).toEqual(codes.sort());
});
