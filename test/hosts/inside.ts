import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Subject } from './features.ts';

const run = promisify(execFile);

/** Runs a file of `own` among the packages of an example, with its address. Rejects with what the file says. */
export async function runInside({ folder, url }: Subject, file: string): Promise<void> {
  cpSync(join(import.meta.dirname, 'own', file), join(folder, file));
  await run(process.execPath, [file, url], { cwd: folder });
}
