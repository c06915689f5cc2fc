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
