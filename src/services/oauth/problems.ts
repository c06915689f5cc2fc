import type { Report } from '../../core/report.ts';
import { AccountsError } from '../../errors.ts';
import { Unreachable } from './bounded-fetch.ts';

type Problem = 'unreachable' | 'misconfigured' | 'refused' | 'invalid';

/** What `openid-client` throws, and what it wraps, as far as it is looked at here. */
interface ClientFailure {
  code?: unknown;
  status?: unknown;
  error?: unknown;
  cause?: unknown;
}

/**
 * What a caller may know of a failure at a provider. What whoever runs the server has to know is reported, by its code
 * alone: messages and causes hold codes, tokens and claims (S46).
 */
export function refusalOf(error: unknown, provider: string, report: Report): AccountsError {
  if (error instanceof AccountsError) return error;
  const problem = problemOf(error);
  if (problem !== 'refused')
    report(new Error(`the provider ${provider}: ${problem}, ${codeOf(error)}`), 'oauth()');
  const isDown = problem === 'unreachable' || problem === 'misconfigured';
  return new AccountsError(isDown ? 'PROVIDER_UNAVAILABLE' : 'PROVIDER_REFUSED');
}

/** Whether the provider did not take how this application has shown who it is. */
export function isClientRefused(error: unknown): boolean {
  const { code, error: told, status } = (error ?? {}) as ClientFailure;
  return told === 'invalid_client' || status === 401 || code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE';
}

function problemOf(error: unknown): Problem {
  if (chainOf(error).some((cause) => cause instanceof Unreachable)) return 'unreachable';
  const { code, status, error: told, cause } = (error ?? {}) as ClientFailure;
  const answered = cause instanceof Response ? cause.status : Number(status ?? 0);
  if (answered >= 500 || answered === 429 || code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT')
    return 'unreachable';
  if (isClientRefused(error) || told === 'unauthorized_client') return 'misconfigured';
  // The code was wrong, used up or another client's: that is between the caller and the provider.
  if (code === 'OAUTH_RESPONSE_BODY_ERROR') return 'refused';
  return 'invalid';
}

function codeOf(error: unknown): string {
  const codes = chainOf(error).map((cause) => (cause as ClientFailure).code);
  const code = codes.find((candidate) => typeof candidate === 'string');
  return code ?? (error instanceof Error ? error.name : 'no Error');
}

function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let link = error; typeof link === 'object' && link !== null && chain.length < 5; ) {
    chain.push(link);
    link = (link as ClientFailure).cause;
  }
  return chain;
}
