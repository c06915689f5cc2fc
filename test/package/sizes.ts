import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, Failure, manifestOf, run, type Stage, tool } from './stage.ts';

/** Bytes, minified, of what is ours; of the two for fetch-only runtimes with all that they need. About 10 % to spare. */
const BOUNDS: { readonly [subpath: string]: number } = {
  'graphql-accounts': 225_000,
  'graphql-accounts/database/memory': 9_700,
  'graphql-accounts/database/sqlite': 26_000,
  'graphql-accounts/database/sql': 48_000,
  'graphql-accounts/database/mongoose': 30_000,
  'graphql-accounts/database/redis': 15_800,
  'graphql-accounts/database/checked': 6_000,
  'graphql-accounts/database/conformance': 44_000,
  'graphql-accounts/verify': 30_500,
  'graphql-accounts/client': 8_300,
};

/** A host's adapter is thin: most of it is the context and the streams that it hands on. */
const BOUND_OF_HOST = 46_000;

/** Runs where there is nothing but `fetch` and WebCrypto. */
const WHOLE = ['graphql-accounts/verify', 'graphql-accounts/client'];

export const sizes: Check = (stage) => {
  const faults = stage.subpaths.flatMap((subpath) => {
    const bound = BOUNDS[subpath] ?? (subpath.includes('/hosts/') ? BOUND_OF_HOST : undefined);
    const { size } = bundle(stage, `export * from '${subpath}';`, WHOLE.includes(subpath));
    console.log(`    ${subpath}: ${size} of ${bound}`);
    if (bound === undefined) return [`${subpath} has no bound in test/package/sizes.ts`];
    return size > bound ? [`${subpath} has ${size} bytes, over ${bound}`] : [];
  });
  if (faults.length > 0) throw new Failure(faults.join('\n'));
};

/** `sideEffects: false` keeps its word: who takes one thing of the main entry gets that, and no package with it. */
export const treeShaking: Check = (stage) => {
  const { size, imports } = bundle(stage, "export { AccountsError } from 'graphql-accounts';", false);
  if (size > 4_500) throw new Failure(`AccountsError alone has ${size} bytes`);
  if (imports.length > 0) throw new Failure(`AccountsError alone brings ${imports.join(', ')}`);
};

export const webOnly: Check = (stage) => {
  for (const subpath of WHOLE) {
    const { text, imports, inputs } = bundle(stage, `export * from '${subpath}';`, true);
    const packages = new Set(
      inputs.flatMap((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []),
    );
    const allowed = subpath.endsWith('verify') ? ['graphql-accounts', 'jose'] : ['graphql-accounts'];
    const others = [...packages].filter((name) => !allowed.includes(name));
    if (others.length > 0 || imports.length > 0)
      throw new Failure(`${subpath} brings ${[...others, ...imports]}`);
    const found = /node:|\brequire\(|\bBuffer\b|\bprocess\b/.exec(text);
    if (found) throw new Failure(`${subpath} names ${found[0]}`);
  }
};

/** Who bundles a server has not installed every package that one of us can use: what is missing stops nothing. */
export const bundling: Check = ({ projects }) => {
  const project = projects['16'] ?? '';
  for (const subpath of ['graphql-accounts', 'graphql-accounts/database/sql']) {
    writeFileSync(join(project, 'entry.mjs'), `export * from '${subpath}';`);
    // Native code cannot be bundled, and kysely is needed by whoever takes the second.
    const given = ['--external:@node-rs/argon2', '--external:kysely'];
    const output = ['--bundle', '--platform=node', '--format=esm', '--outfile=bundle.mjs'];
    run(tool('.bin/esbuild'), ['entry.mjs', ...output, '--log-level=warning', ...given], { cwd: project });
  }
};

interface Meta {
  inputs: Record<string, unknown>;
  outputs: Record<string, { imports: { path: string; external?: boolean }[] }>;
}

/** With all its packages, or with ours alone. */
function bundle({ projects, installed }: Stage, code: string, whole: boolean) {
  const project = projects['17'] ?? '';
  writeFileSync(join(project, 'entry.mjs'), code);
  const { dependencies, peerDependencies } = manifestOf(installed);
  const others = Object.keys({ ...dependencies, ...peerDependencies });
  const kind = whole
    ? ['--platform=browser', '--external:node:*']
    : ['--platform=node', ...others.map((name) => `--external:${name}`)];
  const output = ['--bundle', '--minify', '--format=esm', '--log-level=warning', '--outfile=bundle.mjs'];
  run(tool('.bin/esbuild'), ['entry.mjs', ...output, '--metafile=meta.json', ...kind], { cwd: project });
  const text = readFileSync(join(project, 'bundle.mjs'), 'utf8');
  const meta = JSON.parse(readFileSync(join(project, 'meta.json'), 'utf8')) as Meta;
  const imports = Object.values(meta.outputs).flatMap((made) => made.imports);
  return {
    text,
    size: Buffer.byteLength(text),
    imports: imports.filter(({ external }) => external).map(({ path }) => path),
    inputs: Object.keys(meta.inputs),
  };
}
