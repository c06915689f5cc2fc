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
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const error = new Error(`The breach check gave no answer within ${deadline} ms.`);
      late.reject(error);
      abort.abort(error);
    }, deadline);
    try {
      const asked = (async () => check(password, abort.signal))();
      const answer: unknown = await Promise.race([asked, late.promise]);
      if (typeof answer !== 'boolean') throw new TypeError('A breach check must answer true or false.');
      return answer;
    } catch (error) {
      onFailure?.(error);
      return false;
    } finally {
      clearTimeout(timer);
    }
  };
}
