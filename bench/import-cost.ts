import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** What is loaded, each in a process of its own: nothing, what nobody can do without, and us as built. */
export const IMPORTS = {
  nothing: '',
  needed: `await import('graphql'); await import('jsonwebtoken');`,
  ours: `await import('graphql-accounts');`,
};

/** Milliseconds of processor time of a whole process that loads this. */
export function importCost(code: string): number {
  const told = `const { user, system } = process.cpuUsage(); console.log(user + system);`;
  const args = ['--input-type=module', '--eval', `${code} ${told}`];
  return Number(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })) / 1000;
}

/** Builds the package where nobody has, or where its sources have changed since. */
export function buildPackage(): void {
  const built = join(ROOT, 'dist/index.js');
  if (existsSync(built) && newest(join(ROOT, 'src')) <= statSync(built).mtimeMs) return;
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' });
}

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Math.max(...files.map(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs));
}
