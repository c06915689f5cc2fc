import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { type Check, Failure } from './stage.ts';

/** Each file that was compiled leads back to its source, which is in the package. */
export const maps: Check = ({ installed }) => {
  const dist = join(installed, 'dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
  const compiled = files.filter((file) => /(?<!\.d)\.js$|\.d\.ts$/.test(file));
  if (compiled.length < 100) throw new Failure(`only ${compiled.length} files in dist`);
  const faults = compiled.flatMap((file) =>
    faultsOf(join(dist, file)).map((fault) => `dist/${file}: ${fault}`),
  );
  if (faults.length > 0) throw new Failure(faults.join('\n'));

  function faultsOf(file: string): string[] {
    const map = `${file}.map`;
    if (
      !readFileSync(file, 'utf8')
        .trimEnd()
        .endsWith(`//# sourceMappingURL=${basename(map)}`)
    )
      return ['names no map'];
    if (!existsSync(map)) return ['has no map'];
    const { sources } = JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] };
    const found = sources.map((source) => join(dirname(file), source));
    const lost = found.filter(
      (source) => !existsSync(source) || relative(installed, source).startsWith('..'),
    );
    if (lost.length > 0) return [`its source is not in the package: ${lost.join(', ')} (an old dist/?)`];
    return found.length === 1 ? [] : ['does not have one source'];
  }
};
