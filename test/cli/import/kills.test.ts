import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqliteDatabase } from '../../../src/database/sqlite/index.ts';
import { collect, printed } from '../../program.ts';
import { exercised } from '../../stores.ts';
import { manyUsers } from './foreign.ts';

const COUNT = 2_000;
const KILLS = 6;
const SCRIPT = join(import.meta.dirname, 'import-until-killed.ts');

let folder: string;
beforeAll(() => {
  exercised('SQLite');
  folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-import-kills-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('an import that is killed again and again ends as one that was not', { timeout: 120_000 }, async () => {
  const [whole, parts] = ['whole', 'parts'].map((name) => join(folder, name));
  const expected = await importInto(whole ?? '');
  expect(expected).toMatchObject({ imported: COUNT * 0.8, conflicts: COUNT * 0.2 });
  // In the batch after that line; further on each time, since those before are skipped.
  for (let kill = 0; kill < KILLS; kill++) await importInto(parts ?? '', `importing ${50 + kill * 300}\n`);
  const result = await importInto(parts ?? '');
  expect(result.imported + result.alreadyThere).toBe(expected.imported);
  expect(result.alreadyThere).toBeGreaterThan(0);
  expect(readFileSync(`${parts}.ndjson`, 'utf8')).toBe(readFileSync(`${whole}.ndjson`, 'utf8'));
  expect(await everything(parts ?? '')).toEqual(await everything(whole ?? ''));
});

interface Result {
  imported: number;
  alreadyThere: number;
  conflicts: number;
}

/** Imports in a process of its own, which is killed once it has printed something. */
async function importInto(path: string, killedAt?: string): Promise<Result> {
  const args = [SCRIPT, `${path}.db`, `${path}.ndjson`, String(COUNT)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const read = collect(child);
  const ended = once(child, 'close');
  if (killedAt) {
    await printed(child, read, new RegExp(killedAt));
    child.kill('SIGKILL');
    await ended;
    return { imported: 0, alreadyThere: 0, conflicts: 0 };
  }
  expect(await ended).toEqual([0, null]);
  return JSON.parse(read().trim().split('\n').at(-1) ?? '') as Result;
}

async function everything(path: string) {
  const db = sqliteDatabase(`${path}.db`);
  const users = manyUsers(COUNT);
  const records = await db.users.findMany(users.map(({ label }) => label));
  const identities = await Promise.all(
    users.flatMap(({ label }, index) => [
      db.identities.find('password', label),
      db.identities.find('username', `name${index}`),
      db.identities.find('email', `user${index}@example.com`),
    ]),
  );
  await db.close?.();
  return { records, identities };
}
