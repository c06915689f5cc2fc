import { within } from '../../core/deadline.ts';

/**
 * Asks somebody whether a password is known from a breach, e.g. the range API of Have I Been Pwned. `signal` aborts
 * when the answer would come too late.
 */
export type BreachCheck = (password: string, signal: AbortSignal) => Promise<boolean>;

export interface BreachOptions {
  /** How long to wait for the answer, in milliseconds. 2,000 by default. */
  deadline?: number | undefined;
  /** Told when the check threw or came too late; never told the password. */
  onFailure?: ((error: unknown) => void) | undefined;
}

const DEADLINE_MS = 2_000;

/**
 * Makes a breach check harmless: it answers within the deadline, and a service that is down, slow or says nonsense
 * lets the password pass and is told to `onFailure`. The block list still holds; sign-ups must not depend on
 * somebody else's uptime.
 */
export function failOpen(
  check: BreachCheck,
  options: BreachOptions = {},
): (password: string) => Promise<boolean> {
  const { deadline = DEADLINE_MS, onFailure } = options;
  return async (password) => {
    const abort = new AbortController();
    const tooLate = (): never => {
      const error = new Error(`The breach check did not settle within ${deadline} ms.`);
      abort.abort(error);
      throw error;
    };
    try {
      const known: unknown = await within(deadline, (async () => check(password, abort.signal))(), tooLate);
      if (typeof known !== 'boolean') throw new TypeError('A breach check must return true or false.');
      return known;
    } catch (error) {
      onFailure?.(error);
      return false;
    }
  };
}
