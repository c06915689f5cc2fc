import type { Authentication } from '../../core/authentication.ts';
import { type Connection, type ConnectionInput, parseConnection } from '../../core/connection.ts';
import { parseString } from '../../core/input.ts';
import { type Runner, runnerOf } from '../../core/report.ts';
import type { AccountsService, ServiceContext, ServiceOperations } from '../../core/service.ts';
import type { UserRecord } from '../../database/ports.ts';
import { passkeyMails } from './mail.ts';
import type { ResolvedPasskeyOptions } from './options.ts';
import { createParts, type PasskeyParts } from './parts.ts';
import { type Passkey, toPasskey } from './passkeys.ts';
import { passkeyOperations } from './resolvers.ts';

/** What a login with any passkey begins with. */
export interface PasskeyLoginOptions {
  /** `PublicKeyCredentialRequestOptionsJSON` of WebAuthn. */
  options: object;
  /** The `token` to log in with. */
  challenge: string;
}

/** On whose behalf an operation is done; everything may be missing. */
export interface PasskeyCaller {
  /** The id of the session that asks. The one that registers must be the one that had the options. */
  sessionId?: string | null | undefined;
  connection?: ConnectionInput | null | undefined;
  /** Rejects when the session that asks has ended: then nothing of what it began stays. */
  stillThere?: (() => Promise<unknown>) | undefined;
}

/** Passkeys. Every method throws an `AccountsError`; those that take a user's id trust the caller to have checked it. */
export class PasskeyService implements AccountsService {
  readonly operations: ServiceOperations;
  readonly #parts: PasskeyParts;
  readonly #run: Runner<typeof import('./actions.ts')>;

  constructor(context: ServiceContext, options: ResolvedPasskeyOptions) {
    this.#parts = createParts(context, options);
    this.#run = runnerOf(context.report, import('./actions.ts'));
    context.mailer.define(passkeyMails);
    this.operations = passkeyOperations(this);
  }

  /** Recognises a user by `{ token, response }`. `loginWithService` calls it and does the rest of a login. */
  authenticate(params: Readonly<Record<string, unknown>>, connection: Connection): Promise<Authentication> {
    return this.#run(({ authenticate }) => authenticate(this.#parts, params, connection));
  }

  /** Each passkey of this domain. */
  countWays({ id }: UserRecord): Promise<number> {
    return this.#run(async ({ isUseless }) => {
      const passkeys = await this.#parts.passkeys.ofUser(id);
      return passkeys.filter((passkey) => !isUseless(this.#parts, passkey)).length;
    });
  }

  /** `PublicKeyCredentialCreationOptionsJSON`, good for five minutes. Throws TOO_MANY_PASSKEYS and USER_NOT_FOUND. */
  createRegistrationOptions(userId: string, { sessionId = null }: PasskeyCaller = {}): Promise<object> {
    return this.#run(({ createRegistrationOptions }) =>
      createRegistrationOptions(this.#parts, { userId: parseString(userId), session: sessionId }),
    );
  }

  /** Keeps a passkey. Throws INVALID_PASSKEY, INVALID_TOKEN and TOO_MANY_PASSKEYS. */
  register(
    userId: string,
    response: unknown,
    {
      name,
      sessionId = null,
      connection,
      stillThere = alwaysThere,
    }: PasskeyCaller & { name?: string | null } = {},
  ): Promise<Passkey> {
    const from = { session: sessionId, connection: parseConnection(connection), stillThere };
    return this.#run(({ register }) =>
      register(this.#parts, { ...from, userId: parseString(userId) }, response, name),
    );
  }

  /** Oldest first. */
  list(userId: string): Promise<Passkey[]> {
    return this.#run(async () => (await this.#parts.passkeys.ofUser(parseString(userId))).map(toPasskey));
  }

  /** Throws PASSKEY_NOT_FOUND. */
  rename(userId: string, id: string, name: string, { connection }: PasskeyCaller = {}): Promise<Passkey> {
    const from = parseConnection(connection);
    return this.#run(({ rename }) =>
      rename(this.#parts, { userId: parseString(userId), connection: from }, id, name),
    );
  }

  /** Throws PASSKEY_NOT_FOUND, and LAST_WAY_IN when nothing else opens the account. */
  remove(
    userId: string,
    id: string,
    { connection, stillThere = alwaysThere }: PasskeyCaller = {},
  ): Promise<void> {
    const from = parseConnection(connection);
    return this.#run(({ remove }) =>
      remove(this.#parts, { userId: parseString(userId), connection: from }, id, stillThere),
    );
  }

  /** What a login begins with; good once, for five minutes. */
  createLoginOptions(connection?: ConnectionInput | null): Promise<PasskeyLoginOptions> {
    return this.#run(({ createLoginOptions }) =>
      createLoginOptions(this.#parts, parseConnection(connection)),
    );
  }
}

async function alwaysThere(): Promise<void> {}
