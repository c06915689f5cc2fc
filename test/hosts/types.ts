import { execFile } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './stage.ts';

const run = promisify(execFile);

/** Compiles an example as its users' editors do, strictly. Rejects with what the compiler says. */
export async function typeCheck(folder: string): Promise<void> {
  const config = join(folder, 'tsconfig.json');
  if (!existsSync(config)) {
    const files = readdirSync(folder).filter((file) => /\.tsx?$/.test(file));
    writeFileSync(config, JSON.stringify({ compilerOptions: OPTIONS, files }));
  }
  try {
    await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder, '--noEmit'], {
      cwd: folder,
    });
  } catch (error) {
    throw new Error((error as { stdout?: string }).stdout ?? String(error));
  }
}

const OPTIONS = {
  target: 'es2024',
  lib: ['es2024', 'dom', 'dom.iterable', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules/@types')],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  // What hosts declare is not ours to judge; our own declarations are compiled in full by test/package-quality.ts.
  skipLibCheck: true,
  noEmit: true,
};
