import type { LoginResult } from '../../core/login.ts';
import type { Page } from './answer.ts';
import { Html, html, page, pageHeaders } from './html.ts';

/**
 * Keeps the tokens where clients of accounts-js look for them, for front ends of the same origin, and takes them out of
 * the page. They travel in attributes: the text of the script is always the same, so that its hash is all that runs.
 */
const KEEP = `
const script = document.currentScript;
const { accessToken, refreshToken } = script.dataset;
script.remove();
try {
  localStorage.setItem('accounts:accessToken', accessToken);
  localStorage.setItem('accounts:refreshToken', refreshToken);
} catch {
  document.getElementById('not-kept').hidden = false;
}
`;

const LOGGED_IN_HEADERS = pageHeaders(KEEP);
const FORM_HEADERS = pageHeaders();

/** What a login by a page ends with. `returnTo` was found on the allow-list. */
export function loggedInPage(
  { tokens, user }: LoginResult,
  { returnTo = null }: { returnTo?: string | null | undefined } = {},
): Page {
  const name = user.username ?? user.emails.find(({ verified }) => verified)?.address;
  const next = returnTo === null ? html`You can close this page.` : html`<a href="${returnTo}">Continue</a>`;
  const who = name === undefined ? html`` : html`<p>As ${name}.</p>`;
  const content = html`${who}
<p>${next}</p>
<p role="alert" id="not-kept" hidden>Your browser keeps nothing for this site, so the login will be forgotten.</p>
<noscript><p role="alert">Your browser runs no scripts, so the login will be forgotten.</p></noscript>
<script data-access-token="${tokens.accessToken}" data-refresh-token="${tokens.refreshToken}">${new Html(KEEP)}</script>`;
  return { headers: LOGGED_IN_HEADERS, text: page('You are logged in', content) };
}

interface SecondFactorForm {
  /** What the error TWO_FACTOR_REQUIRED brought. */
  challenge: string;
  factors?: readonly string[] | undefined;
  /** Why the form is shown again. */
  problem?: string | undefined;
}

/**
 * The form that asks for the second factor. It is sent by POST to the address of the page, with the fields `challenge`
 * and `code`.
 */
export function secondFactorPage({ challenge, factors = ['totp'], problem }: SecondFactorForm): Page {
  const recovery = factors.includes('recovery')
    ? ' If you do not have it, type one of your recovery codes.'
    : '';
  const alert: Html = problem === undefined ? html`` : html`<p role="alert">${problem}</p>`;
  const content = html`<p>Type the code that your authenticator shows.${recovery}</p>
${alert}
<form method="post">
<input type="hidden" name="challenge" value="${challenge}">
<input type="hidden" name="factors" value="${factors.join(' ')}">
<label>Code
<input type="text" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required autofocus></label>
<button>Log in</button>
</form>`;
  return { headers: FORM_HEADERS, text: page('One more step', content) };
}
