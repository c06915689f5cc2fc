import type { Connection } from '../../core/connection.ts';
import type { LoginResult } from '../../core/login.ts';
import { AccountsError } from '../../errors.ts';
import { type Answer, retryHeaders } from './answer.ts';
import { PAGE_HEADERS } from './html.ts';
import { loggedInPage, secondFactorPage } from './logged-in.ts';
import { messagePage } from './views.ts';

/** `loginWithService`, for somebody at a browser. */
export type LogIn = (service: string, params: object, connection: Connection) => Promise<LoginResult>;

interface LoginStep {
  logIn: LogIn;
  /** What the page itself proves. */
  first: { service: string; params: object };
  connection: Connection;
  returnTo: string | null;
}

const TOO_LATE = messagePage(
  'This took too long, or too many codes were wrong',
  'Begin again from where you wanted to log in.',
);
const NO_SECOND_FACTOR = messagePage(
  'This account needs a second factor',
  'It cannot be given here. Log in where you set it up.',
);

/**
 * Answers the form of a page that logs in. Where the account has a second factor, the page asks for it: what stands for
 * the first one travels in the form, and never in an address. Throws what is wrong with the first step.
 */
export async function logInStep(
  form: URLSearchParams,
  { logIn, first, connection, returnTo }: LoginStep,
): Promise<Answer> {
  const challenge = form.get('challenge');
  try {
    const code = form.get('code') ?? '';
    const { service, params } =
      challenge === null ? first : { service: 'twoFactor', params: { token: challenge, code } };
    return { status: 200, ...loggedInPage(await logIn(service, params, connection), { returnTo }) };
  } catch (error) {
    const answer = error instanceof AccountsError ? nextStep(error, form) : null;
    if (answer) return answer;
    throw error;
  }
}

function nextStep(error: AccountsError, form: URLSearchParams): Answer | null {
  const { code, extensions } = error;
  const given = form.get('challenge');
  const factors = (form.get('factors') ?? '').split(' ');
  const again = (status: number, problem: string, headers = {}): Answer | null => {
    if (given === null) return null;
    const shown = secondFactorPage({ challenge: given, factors, problem });
    return { ...shown, status, headers: { ...shown.headers, ...headers } };
  };
  const { challenge } = extensions;
  switch (code) {
    case 'TWO_FACTOR_REQUIRED':
      return typeof challenge === 'string'
        ? { status: 200, ...secondFactorPage({ challenge, factors: textsIn(extensions.factors) }) }
        : { status: 403, headers: PAGE_HEADERS, text: NO_SECOND_FACTOR };
    case 'INVALID_CODE':
      return again(422, 'The code is wrong, or was already used.');
    case 'BAD_USER_INPUT':
      return again(422, 'This is no code.');
    case 'RATE_LIMITED':
      return again(429, 'Too many attempts. Try again later.', retryHeaders(error));
    case 'INVALID_TOKEN':
      return given === null ? null : { status: 404, headers: PAGE_HEADERS, text: TOO_LATE };
    default:
      return null;
  }
}

function textsIn(factors: unknown): string[] {
  return Array.isArray(factors) ? factors.filter((factor) => typeof factor === 'string') : [];
}
