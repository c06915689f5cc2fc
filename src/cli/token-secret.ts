import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createKeyring } from '../core/keys.ts';
import { BadConfiguration, reasonOf } from './bad-configuration.ts';

/** Where the secret of a SQLite file is kept that was made on first start. */
export function secretPathOf(database: string): string {
  return `${resolve(database)}.token-secret`;
}

/** A secret of 384 bits, as text. */
export function newSecret(): string {
  return randomBytes(48).toString('base64url');
}

/** Throws BadConfiguration, under the name that its user knows it by, for a secret that tokens are not safe with. */
export function checkTokenSecret(secret: string, name: string): void {
  try {
    createKeyring(secret);
  } catch (error) {
    throw new BadConfiguration(reasonOf(error).replace('tokenSecret', name));
  }
}

/**
 * Reads the secret from a file that only its owner may read, and makes both when the file is missing. A new secret is
 * written elsewhere and then linked to its name, which succeeds for one process only: all that start at once on a
 * missing file read the same secret, and never half of it. Throws BadConfiguration.
 */
export async function readOrMakeSecret(path: string): Promise<string> {
  try {
    return (await readSecret(path)) ?? (await makeSecret(path));
  } catch (error) {
    if (error instanceof BadConfiguration) throw error;
    throw new BadConfiguration(`the token secret in ${path} cannot be used: ${reasonOf(error)}`);
  }
}

/** Null when there is no such file. */
export async function readSecret(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const secret = text.trim();
  checkTokenSecret(secret, `the token secret in ${path}`);
  return secret;
}

async function makeSecret(path: string): Promise<string> {
  const temporary = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(`${newSecret()}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  } finally {
    await rm(temporary, { force: true });
  }
  const secret = await readSecret(path);
  if (secret !== null) return secret;
  throw new BadConfiguration(`the token secret in ${path} was removed while it was made`);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
