import type { Page } from './answer.ts';
import { Html, html, page, pageHeaders } from './html.ts';

/** The form is sent by itself: whoever comes back from the provider has pressed enough buttons. */
const SUBMIT = 'document.forms[0].submit();';

const SUBMIT_HEADERS = pageHeaders(SUBMIT);
const FORM_HEADERS = pageHeaders();
/**
 * A browser that keeps to `form-action` follows no redirect that answers a form to another site, and that is where this
 * form leads. There is nothing in the page that could send another one.
 */
const LEAVING_HEADERS = {
  ...FORM_HEADERS,
  'content-security-policy': String(FORM_HEADERS['content-security-policy']).replace(
    " form-action 'self';",
    '',
  ),
};

/** The button that leads to a provider. A button, and not a redirect: a link in a mail must not begin a login. */
export function startPage(label: string): Page {
  const content = html`<p>You log in at ${label}, and come back here.</p>
<form method="post">
<button>Log in with ${label}</button>
</form>`;
  return { headers: LEAVING_HEADERS, text: page(`Log in with ${label}`, content) };
}

/** For the browser that has begun the login. Without script it shows a button. */
export function continuePage(label: string): Page {
  const content = html`<p>You have logged in at ${label}.</p>
<form method="post">
<button>Continue</button>
</form>
<script>${new Html(SUBMIT)}</script>`;
  return { headers: SUBMIT_HEADERS, text: page('Logging you in', content) };
}

/**
 * For a login that was begun outside of a browser. Somebody else may have begun it, and would like to see people work in
 * an account that is not theirs.
 */
export function confirmPage(label: string): Page {
  const content = html`<p>Continue only if you have just begun to log in with ${label} yourself. If you have followed a link that somebody sent you, close this page: you would be in an account that is not yours.</p>
<form method="post">
<button>Continue</button>
</form>`;
  return { headers: FORM_HEADERS, text: page(`Log in with ${label}?`, content) };
}

/** Why nobody was logged in, and where to begin again. */
export function notLoggedInPage(text: string, provider: string | null): Page {
  // Relative: a proxy in front may have put the pages under a path.
  const again =
    provider === null ? html`` : html`<p><a href="./${encodeURIComponent(provider)}">Try again</a></p>`;
  return { headers: FORM_HEADERS, text: page('You are not logged in', html`<p>${text}</p>\n${again}`) };
}
