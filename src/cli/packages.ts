import { MissingPackage } from '../need-package.ts';
import { BadConfiguration } from './bad-configuration.ts';

/**
 * Loads a module that needs a package which does not come with the library. Throws BadConfiguration that names the
 * package when it is missing.
 */
export async function loadPackage<T>(whoNeedsIt: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof MissingPackage) throw new BadConfiguration(error.message);
    const missing =
      error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
        ? /Cannot find package '([^']+)'/.exec(error.message)?.[1]
        : undefined;
    if (missing === undefined) throw error;
    throw new BadConfiguration(`${whoNeedsIt} needs the package ${missing}: npm install ${missing}`);
  }
}
