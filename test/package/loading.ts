import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, Failure, manifestOf, run } from './stage.ts';

/** Drivers are for their user to install: without one, a subpath says which. */
const MISSING = /^graphql-accounts\/\S+ needs the package \S+: npm install \S+$/;

/** Each subpath in a process of its own, by `import` and by `require`. */
export const loading: Check = ({ projects, subpaths }) => {
  for (const project of Object.values(projects)) {
    for (const subpath of subpaths) {
      for (const load of [`import('${subpath}')`, `Promise.resolve().then(() => require('${subpath}'))`]) {
        const code = `${load}.then((it) => console.log(Object.keys(it).length), ({ message }) => console.log(message))`;
        const args = ['--input-type=commonjs', '--disable-warning=ExperimentalWarning', '--eval', code];
        const told = run(process.execPath, args, { cwd: project }).trim();
        if (!/^[1-9]\d*$/.test(told) && !MISSING.test(told)) throw new Failure(`${load}: ${told}`);
      }
    }
  }
};

/** A second copy of graphql would be another realm, whose types and errors are not ours. */
export const oneRealm: Check = ({ projects }) => {
  for (const [major, project] of Object.entries(projects)) {
    const copies = copiesOf('graphql', join(project, 'node_modules'));
    const versions = copies.map((copy) => manifestOf(copy).version);
    if (versions.length !== 1 || !versions[0]?.startsWith(`${major}.`)) {
      throw new Failure(`beside graphql ${major} there are: ${versions.join(', ')}`);
    }
  }
};

function copiesOf(name: string, modules: string): string[] {
  const folders = readdirSync(modules, { recursive: true, withFileTypes: true });
  return folders
    .filter(
      (entry) => entry.isDirectory() && entry.name === name && entry.parentPath.endsWith('node_modules'),
    )
    .map((entry) => join(entry.parentPath, name));
}
