import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, Failure, ROOT, run, tool } from './stage.ts';

const COMPILERS = {
  '5.9': tool('typescript-5.9/bin/tsc'),
  '6': tool('typescript-6/bin/tsc'),
  '7': join(ROOT, 'node_modules/typescript/bin/tsc'),
};

/** Of other packages, which do not compile under these options. None of them is a dependency of ours. */
const FOREIGN = /^node_modules\/lru-cache\//;

const NEEDS_DRIVER = /\/database\/(sql|mongoose|redis)$/;

const STRICT = {
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
};
const NODE = { ...STRICT, lib: ['es2024', 'esnext.disposable'], types: ['node'] };
const PROJECTS = {
  nodenext: {
    compilerOptions: { ...NODE, module: 'nodenext' },
    files: ['gateway.ts', 'every-subpath.ts', 'common.cts'],
  },
  bundler: {
    compilerOptions: { ...NODE, module: 'esnext', moduleResolution: 'bundler' },
    files: ['gateway.ts', 'every-subpath.ts'],
  },
  browser: {
    compilerOptions: {
      ...STRICT,
      lib: ['es2022', 'dom'],
      types: [],
      module: 'esnext',
      moduleResolution: 'bundler',
    },
    files: ['front-end.ts'],
  },
};

/** Projects of several kinds, against the packed declarations, by each compiler, beside each graphql. */
export const types: Check = ({ projects, subpaths }) => {
  for (const project of Object.values(projects)) {
    const hasDrivers = existsSync(join(project, 'node_modules/kysely'));
    const whole = subpaths.filter((subpath) => hasDrivers || !NEEDS_DRIVER.test(subpath));
    const every = whole.map((subpath, i) => `export * as _${i} from '${subpath}';\n`);
    writeFileSync(join(project, 'every-subpath.ts'), every.join(''));
    for (const [kind, config] of Object.entries(PROJECTS)) {
      writeFileSync(join(project, `tsconfig.${kind}.json`), JSON.stringify(config));
      for (const [version, compiler] of Object.entries(COMPILERS)) {
        const faults = faultsOf(compiler, project, `tsconfig.${kind}.json`);
        if (faults.length > 0) throw new Failure(`TypeScript ${version}, ${kind}:\n${faults.join('\n')}`);
      }
    }
  }
};

/** The first line of each error; what is indented below it explains it. */
function faultsOf(compiler: string, cwd: string, config: string): string[] {
  try {
    run(process.execPath, [compiler, '-p', config, '--pretty', 'false'], { cwd });
    return [];
  } catch (error) {
    const lines = (error as Error).message.split('\n').filter((line) => !line.startsWith(' '));
    return lines.filter((line) => !FOREIGN.test(line));
  }
}
