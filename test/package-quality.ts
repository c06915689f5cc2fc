// Judges the packed library: its manifest, types, sizes, maps, and the runtimes that it says it runs on.
import { existsSync, rmSync } from 'node:fs';
import { attw, provenance, publint } from './package/linters.ts';
import { loading, oneRealm } from './package/loading.ts';
import { maps } from './package/maps.ts';
import { runtimes } from './package/runtimes.ts';
import { bundling, sizes, treeShaking, webOnly } from './package/sizes.ts';
import { type Check, Failure, prepare, tool } from './package/stage.ts';
import { types } from './package/types.ts';

const CHECKS: { readonly [name: string]: Check } = {
  publint,
  'are the types wrong': attw,
  'ready for provenance': provenance,
  'source maps and declaration maps': maps,
  'one copy of graphql': oneRealm,
  'import and require of every subpath': loading,
  'size of every subpath': sizes,
  'tree-shaking': treeShaking,
  'bundled without what is optional': bundling,
  'client and verify on Web APIs alone': webOnly,
  'other runtimes': runtimes,
  'types in the projects of others': types,
};

if (!existsSync(tool('.bin/esbuild'))) {
  console.error('The tools are missing: npm ci --prefix test/package');
  process.exit(1);
}
// With a part of its name, only that check.
const [, , wanted = ''] = process.argv;
const stage = prepare();
let failed = 0;
try {
  for (const [name, check] of Object.entries(CHECKS)) {
    if (!name.includes(wanted)) continue;
    try {
      await check(stage);
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error instanceof Failure ? error.message : (error as Error).stack}`);
    }
  }
} finally {
  rmSync(stage.folder, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
