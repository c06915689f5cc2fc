import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { BadConfiguration, reasonOf } from './refusal.ts';

/** 384 bits, written as text. */
export function newSecret(): string {
  return randomBytes(48).toString('base64url');
}

/**
 * The secret in a file that only its owner may read, made when it is missing. It is written elsewhere and then linked
 * to its name, which succeeds for one process only: all that start at once on a missing file read the same secret,
 * and never half of it.
 */
export async function readOrMakeSecret(path: string): Promise<string> {
  try {
    return (await readSecret(path)) ?? (await makeSecret(path));
  } catch (error) {
    if (error instanceof BadConfiguration) throw error;
    throw new BadConfiguration(`the token secret in ${path} cannot be used: ${reasonOf(error)}`);
  }
}

async function readSecret(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
  const secret = text?.trim();
  if (secret === undefined || Buffer.byteLength(secret) >= 32) return secret ?? null;
  throw new BadConfiguration(`the token secret in ${path} is shorter than 32 bytes`);
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
