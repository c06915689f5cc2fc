import { setTimeout as elapse } from 'node:timers/promises';
import { type Answer, ask, Bench, LOG_IN, PASSWORD, SIGN_UP, tokensOf } from '../cli/child.ts';
import type { StoreSettings } from '../servers/stores.ts';

export const TOKEN_SECRET = 'a secret of the tests that is long enough';

/** The program on a store, started and asked as its users do. */
export class StoreProgram extends Bench {
  /** Makes the tables, and throws with what the program wrote when that fails. */
  async migrate(settings: StoreSettings): Promise<void> {
    const { code, stderr } = await this.run(['migrate'], { DATABASE_URL: settings.DATABASE_URL });
    if (code !== 0) throw new Error(`migrate ended with ${code}: ${stderr}`);
  }

  serve(settings: StoreSettings, more: { [name: string]: string } = {}) {
    // Everybody comes from one address here, and is more than it may sign up in an hour.
    return this.start({ ...settings, TOKEN_SECRET, HASH_CONCURRENCY: '2', RATE_LIMITS: 'off', ...more });
  }
}

/** Signs somebody up and logs in. */
export async function newcomer(url: string, email: string): Promise<Tokens> {
  const signedUp = await ask(url, SIGN_UP, { user: { email, password: PASSWORD } });
  if (signedUp.errors) throw new Error(`no sign-up: ${JSON.stringify(signedUp.errors)}`);
  return logIn(url, email);
}

export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

export async function logIn(url: string, email: string): Promise<Tokens> {
  return tokensOf(await ask(url, LOG_IN, { user: { email }, password: PASSWORD }));
}

const bearer = (accessToken: string) => ({ authorization: `Bearer ${accessToken}` });

/** The first address of whoever the token belongs to; null for nobody; the code of an error. */
export async function whoIs(url: string, accessToken: string): Promise<string | null> {
  const { data, errors } = await ask(url, '{ getUser { emails { address } } }', {}, bearer(accessToken));
  if (errors) return codeOf({ errors });
  const user = data?.getUser as { emails: { address: string }[] } | null;
  return user && (user.emails[0]?.address ?? '');
}

export function logout(url: string, accessToken: string): Promise<Answer> {
  return ask(url, 'mutation { logout }', {}, bearer(accessToken));
}

const REFRESH = `mutation ($accessToken: String!, $refreshToken: String!) {
  refreshTokens(accessToken: $accessToken, refreshToken: $refreshToken) {
    sessionId tokens { accessToken refreshToken }
  }
}`;

/** The successors, or the code of the refusal. */
export async function refresh(url: string, tokens: Tokens): Promise<Tokens | string> {
  const { data, errors } = await ask(url, REFRESH, { ...tokens });
  const answer = data?.refreshTokens as { tokens: Tokens } | undefined;
  return answer ? answer.tokens : codeOf({ errors });
}

/** What a token says without being asked whether it is true. */
export function payloadOf(token: string): { [claim: string]: unknown } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

function codeOf({ errors }: { errors: Answer['errors'] | undefined }): string {
  return errors?.[0]?.extensions.code ?? 'no code';
}

/** Waits until something holds; an error when it does not within `patience` milliseconds. */
export async function until(patience: number, holds: () => Promise<boolean>): Promise<void> {
  for (const started = performance.now(); !(await holds()); await elapse(50))
    if (performance.now() - started > patience) throw new Error(`it did not hold within ${patience} ms`);
}
