// Renews the lock files of the groups from the package.json of the examples: `node test/hosts/lock.ts`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Group, HOSTS } from './hosts.ts';
import { npm, ROOT } from './stage.ts';

type Dependencies = { [name: string]: string };

/** Where the examples say another version than the group is for. */
const PINNED: { readonly [group in Group]: Dependencies } = {
  'graphql-16': { graphql: '^16.14.2' },
  'graphql-17': { graphql: '^17.1.0' },
  'nest-11': { graphql: '^16.14.2' },
  'nest-11-graphql-17': { graphql: '^17.1.0' },
};

interface Manifest {
  dependencies?: Dependencies;
  /** What builds an example. */
  devDependencies?: Dependencies;
}

const manifestOf = (...path: string[]): Manifest =>
  JSON.parse(readFileSync(join(ROOT, ...path, 'package.json'), 'utf8')) as Manifest;

for (const group of Object.keys(PINNED) as Group[]) {
  const hosts = HOSTS.filter(({ groups }) => groups.includes(group));
  if (hosts.length === 0) continue;
  const { 'graphql-accounts': _ours, ...dependencies } = Object.assign(
    { ...manifestOf().dependencies },
    ...hosts
      .map(({ folder }) => manifestOf('examples', folder))
      .flatMap(({ dependencies, devDependencies }) => [dependencies, devDependencies]),
    PINNED[group],
  ) as Dependencies;
  const folder = join(import.meta.dirname, group);
  mkdirSync(folder, { recursive: true });
  const sorted = Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ private: true, dependencies: sorted }, null, 2)}\n`,
  );
  npm(folder, 'install', '--package-lock-only', '--loglevel=error', '--no-audit', '--no-fund');
  console.log(`${group}: ${hosts.length} hosts`);
}
