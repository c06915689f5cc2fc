import { AccountsError } from '../errors.ts';
import { NO_ASKER } from './authentication.ts';
import { type Connection, parseConnection, printableOrNull } from './connection.ts';
import { parseString } from './input.ts';
import type { Guesses } from './limits/guesses.ts';
import type { Limits } from './limits/limits.ts';
import type { LoginAttempt } from './login.ts';
import type { RegisteredServices } from './services.ts';
import type { Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

/** What the caller of an operation has shown of itself, beside the parameters. */
export interface CallerProof {
  /** An access token of the caller, which may have expired. */
  accessToken?: string | null | undefined;
  /** Whether a client asks, whose address is counted also when it is not known. By default where an address is given. */
  remote?: boolean | undefined;
  /** The value of a cookie of the request, for what was begun in one browser and has to end there. */
  cookie?: ((name: string) => string | null) | undefined;
  /** The `Origin` header of the request. */
  origin?: string | null | undefined;
}

interface AttemptsParts {
  services: RegisteredServices;
  limits: Limits;
  tokens: Tokens;
  sessions: Sessions;
}

/** What callers try to prove an identity by, for the pipeline. */
export class Attempts {
  readonly #parts: AttemptsParts;

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
  }

  /** Whatever is wrong with it comes out inside the pipeline, so that the event of a failed login tells of it. */
  by(
    serviceName: unknown,
    params: unknown,
    connection: unknown,
    { accessToken = null, cookie = NO_ASKER.cookie, origin = null, remote }: CallerProof = {},
  ): LoginAttempt {
    const from = parseConnection(connection);
    // An application that calls without any address is not somebody who guesses from one.
    const isRemote = remote ?? from.ip !== null;
    return {
      service: printableOrNull(serviceName, 64) ?? '',
      isUnknownService: typeof serviceName !== 'string' || !this.#parts.services.find(serviceName),
      params,
      connection: from,
      guesses: this.#guesses(from, isRemote, accessToken),
      asker: { cookie, origin, remote: isRemote },
      authenticate: async (given, attempt) => {
        const service = this.#parts.services.find(parseString(serviceName, 'SERVICE_NOT_FOUND'));
        if (!service?.authenticate) throw new AccountsError('SERVICE_NOT_FOUND');
        return service.authenticate(given, from, attempt);
      },
    };
  }

  #guesses({ ip }: Connection, isRemote: boolean, accessToken: string | null): Guesses {
    const deviceOf = (userId: string): Promise<string | null> => this.#deviceOf(userId, accessToken);
    return this.#parts.limits.guesses({ address: isRemote ? ip : undefined, deviceOf });
  }

  /** The session of an access token, which may have expired, if it is one of that user's and still good. */
  async #deviceOf(userId: string, accessToken: string | null): Promise<string | null> {
    if (accessToken === null) return null;
    const { tokens, sessions } = this.#parts;
    try {
      const claims = tokens.verifyAccess(accessToken, { ignoreExpiration: true });
      const { session } = await sessions.resume(claims);
      return session.userId === userId && session.actorUserId === null ? session.id : null;
    } catch (error) {
      if (error instanceof AccountsError && error.code === 'UNAUTHENTICATED') return null;
      throw error;
    }
  }
}
