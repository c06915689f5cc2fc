import { type Check, Failure, manifestOf, run, tool } from './stage.ts';

export const publint: Check = ({ tarball }) => {
  const told = run(tool('.bin/publint'), ['--strict', tarball]);
  if (!told.includes('All good!')) throw new Failure(told);
};

/** An ES module is one for `require` too, since Node 22.12: that is no fault of the types. */
export const attw: Check = ({ tarball, subpaths }) => {
  const entrypoints = subpaths.map((subpath) => subpath.replace(/^graphql-accounts/, '.'));
  const ignored = ['--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm'];
  run(tool('.bin/attw'), [tarball, ...ignored, '--no-emoji', '--entrypoints', ...entrypoints]);
};

export const provenance: Check = ({ installed }) => {
  const { repository, publishConfig } = manifestOf(installed);
  if (!/^git\+https:\/\/github\.com\/.+\.git$/.test(repository?.url ?? ''))
    throw new Failure('no repository');
  if (publishConfig?.access !== 'public' || publishConfig.provenance !== true) {
    throw new Failure('publishConfig has to ask for provenance');
  }
};
