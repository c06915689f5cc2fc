import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FOLDER = import.meta.dirname;

/** Who was signed up by the packages of accounts-js. */
export interface People {
  /** By what they are called in people.cjs. */
  ids: { [name: string]: string };
  /** In base32, by name. */
  secrets: { [name: string]: string };
  /** What most of them have. */
  password: string;
}

/**
 * Installs the published packages of accounts-js beside this file, where their old drivers meet none of ours. False
 * where there is no registry.
 */
export async function installAccountsJs(): Promise<boolean> {
  if (existsSync(join(FOLDER, 'node_modules/.package-lock.json'))) return true;
  return run('npm', ['ci', '--no-audit', '--no-fund', '--prefix', FOLDER], { timeout: 120_000 }).then(
    () => true,
    () => false,
  );
}

/** Makes a database as an application of accounts-js does. */
export async function seed(adapter: 'mongo' | 'typeorm', url: string, ...options: string[]): Promise<People> {
  const script = join(FOLDER, `seed-${adapter}.cjs`);
  const { stdout } = await run(process.execPath, [script, url, ...options], { timeout: 60_000 });
  return JSON.parse(stdout) as People;
}
