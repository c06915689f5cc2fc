import { resolve } from 'node:path';
import { encryptionKeyOf } from '../../core/secret-box.ts';
import { NotMigrated } from '../../database/not-migrated.ts';
import type { AccountsDatabase } from '../../database/ports.ts';
import { BadConfiguration } from '../bad-configuration.ts';
import { parseEncryptionKeys } from '../config.ts';
import { readSettings, type Settings } from '../settings.ts';
import { openDatabase } from '../stores/open.ts';
import { whyUnusable } from '../stores/reasons.ts';
import { type DatabaseUrl, parseDatabaseUrl } from '../stores/urls.ts';
import { checkTokenSecret, readOrMakeSecret, readSecret, secretPathOf } from '../token-secret.ts';
import { exitCodeOf, importUsers, summaryOf } from './accounts-js.ts';
import { showProgress } from './progress.ts';
import { openSource } from './sources.ts';
import { openUnchanged } from './sqlite-file.ts';

export interface ImportFlags {
  from: string;
  to: string;
  report: string;
  dryRun: boolean;
}

/** Brings users over, and tells of it. Resolves to the exit code. Throws BadConfiguration. */
export async function runImport({ from, to, report, dryRun }: ImportFlags): Promise<number> {
  process.umask(0o077);
  const url = parseDatabaseUrl(to, '--to');
  if (url.kind === 'memory')
    throw new BadConfiguration('--to: what is in memory is gone when the import ends: give sqlite:PATH');
  const keys = givenKeys(readSettings(process.env, {}));
  const progress = showProgress(process.stderr);
  // The source first: nothing is made for users who are not to be had.
  const source = await openSource(from);
  let target: Target | null = null;
  try {
    target = await openTarget(url, dryRun);
    // After the file that it lies beside, whose folder is made, and which may turn out to be somebody else's.
    const encryptionKeys = keys ?? (await keysBeside(url, dryRun));
    const options = { target: target?.store ?? null, report, dryRun, encryptionKeys };
    const result = await importUsers(source, { ...options, progress: progress.show });
    progress.end();
    process.stdout.write(`${summaryOf(result, dryRun)}\n`);
    return exitCodeOf(result);
  } catch (error) {
    progress.end();
    if (error instanceof BadConfiguration || error instanceof TypeError) throw error;
    throw new BadConfiguration(
      `--to: run the command again, which goes on from here: ${whyUnusable(error, to)}`,
    );
  } finally {
    await Promise.allSettled([source.close(), target?.close()]);
  }
}

interface Target {
  store: AccountsDatabase;
  close(): Promise<void>;
}

/** Null when there is nothing yet and nothing may be made. */
async function openTarget(url: DatabaseUrl, dryRun: boolean): Promise<Target | null> {
  if (dryRun && url.kind === 'sqlite') return openUnchanged(resolve(url.path));
  try {
    return await openDatabase(url, { name: '--to', migrate: !dryRun });
  } catch (error) {
    if (dryRun && error instanceof BadConfiguration && error.cause instanceof NotMigrated) return null;
    throw error;
  }
}

/** The keys that `serve` will have: its ENCRYPTION_KEY, or what follows from its TOKEN_SECRET. Null without both. */
function givenKeys({ ENCRYPTION_KEY, TOKEN_SECRET }: Settings): string[] | null {
  if (ENCRYPTION_KEY !== undefined) return parseEncryptionKeys(ENCRYPTION_KEY);
  if (TOKEN_SECRET === undefined) return null;
  checkTokenSecret(TOKEN_SECRET, 'TOKEN_SECRET');
  return [encryptionKeyOf(TOKEN_SECRET)];
}

/**
 * What follows from the token secret that `serve` keeps beside a file. None for a server, which is enough while nobody
 * has a second factor.
 */
async function keysBeside(url: DatabaseUrl, dryRun: boolean): Promise<string[]> {
  if (url.kind !== 'sqlite') return [];
  const path = secretPathOf(url.path);
  const secret = dryRun ? await readSecret(path) : await readOrMakeSecret(path);
  // A dry run stores nothing: any key shows as well what would come over.
  return [encryptionKeyOf(secret ?? 'the key of a dry run, which encrypts nothing that is kept')];
}
