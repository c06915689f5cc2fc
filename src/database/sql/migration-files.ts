import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SqlDialect } from './dialect.ts';

export interface MigrationFile {
  /** The version that it leads to. */
  version: number;
  name: string;
  /** SHA-256, in hexadecimal digits. */
  checksum: string;
  statements: readonly string[];
}

/** The first leads from an empty database to version 1. What has been published is never edited. */
const NAMES: readonly string[] = ['0001-accounts', '0002-counters'];

export const LATEST = NAMES.length;

/** The folder has the same depth below src and below dist. */
const FOLDER = new URL('../../../migrations/', import.meta.url);

export function migrationsSince(version: number, { folder }: SqlDialect): MigrationFile[] {
  return NAMES.map((name, place) => ({ name, version: place + 1 }))
    .slice(version)
    .map(({ name, version: reached }) => {
      const path = fileURLToPath(new URL(`${folder}/${name}.sql`, FOLDER));
      // A checkout on Windows may have other line ends.
      const text = readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
      const statements = text.split(/;\s*(?:\n|$)/).filter((part) => part.trim() !== '');
      const checksum = createHash('sha256').update(text).digest('hex');
      return { version: reached, name, checksum, statements };
    });
}
