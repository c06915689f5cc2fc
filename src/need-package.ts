import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * Throws an error that names the package to install when it is not there. Synchronous, so that an adapter can be
 * loaded by `require` too. In a bundle, which may hold the package, nothing can be said: there this file lies in no
 * package of ours.
 */
export function needPackage(name: string, whoNeedsIt: string): void {
  if (resolves(name) || !resolves('graphql-accounts/package.json')) return;
  throw new MissingPackage(`${whoNeedsIt} needs the package ${name}: npm install ${name}`);
}

/** For the `catch` of an `import()` of such a package: by it a bundler sees that it may be missing, and takes the rest. */
export function rethrow(error: unknown): never {
  throw error;
}

/** A package that its user has to install. */
export class MissingPackage extends Error {
  override readonly name = 'MissingPackage';
}

function resolves(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch (error) {
    // Installed, though it has no entry for `require`.
    return error instanceof Error && 'code' in error && error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}
