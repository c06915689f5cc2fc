import { AccountsError } from '../errors.ts';

/** Where failures go that nobody waits for. Never receives a secret. */
export type Report = (error: unknown, where: string) => void;

/** What nobody foresaw becomes an `AccountsError` that says nothing; what it was is reported (S45). */
export async function masked<T>(report: Report, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AccountsError) throw error;
    report(error, 'an unexpected error');
    throw new AccountsError('INTERNAL_SERVER_ERROR', undefined, { cause: error });
  }
}

/** Runs, masked, what a service does. */
export type Runner<Actions> = <T>(work: (actions: Actions) => T | Promise<T>) => Promise<T>;

/**
 * For the modules that do the work of a service: loaded with the first server that has it, beside its start. Whoever
 * imports this package waits neither for them nor for their libraries, which were a quarter of its own time.
 */
export function runnerOf<Actions>(report: Report, loading: Promise<Actions>): Runner<Actions> {
  // Told at once, and not only to the first who needs it.
  loading.catch((error: unknown) => report(error, 'loading a service'));
  return (work) => masked(report, async () => work(await loading));
}
