import { type Html, html, page } from './html.ts';

interface DoneWords {
  title: string;
  text: string;
}

/** The words of a page, before and after its form was sent. */
interface PageWords {
  title: string;
  intro: string;
  button: string;
  /** Null: the page goes on to others. */
  done: DoneWords | null;
}

/** The pages that mailed links lead to, by the first segment of their path. */
export const WORDS = {
  'verify-email': {
    title: 'Confirm your e-mail address',
    intro:
      'An account was made or changed with this address. Confirm that this was you, and that the address is yours.',
    button: 'Confirm',
    done: {
      title: 'Your e-mail address is confirmed',
      text: 'You can close this page and go back to where you came from.',
    },
  },
  'reset-password': {
    title: 'Choose a new password',
    intro: 'With 8 characters or more. You will be logged out everywhere.',
    button: 'Set the new password',
    done: { title: 'Your password is changed', text: 'You can close this page and log in with it.' },
  },
  'enroll-account': {
    title: 'Choose your password',
    intro: 'With 8 characters or more.',
    button: 'Set the password',
    done: { title: 'Your password is set', text: 'You can close this page and log in with it.' },
  },
  'magic-link': {
    title: 'Log in',
    intro: 'Press the button to log in. The link works once.',
    button: 'Log in',
    done: null,
  },
} satisfies { [page: string]: PageWords };

export type PageName = keyof typeof WORDS;

/** The other button of a verification, for whoever has made no account. */
export const NOT_ME = { name: 'answer', value: 'not-me' };

export const REJECTED: DoneWords = {
  title: 'The address is free',
  text: 'It was taken off that account, whose sessions have ended. You can close this page.',
};

/**
 * A page with its form. The form names no action, so it is sent to the address of the page, whatever path a proxy puts
 * in front. `problem` is why the form is shown again.
 */
export function formPage(name: PageName, problem?: string): string {
  const { title, intro, button } = WORDS[name];
  const alert = problem === undefined ? html`` : html`<p role="alert">${problem}</p>`;
  const asksPassword = name === 'reset-password' || name === 'enroll-account';
  return page(
    title,
    html`<p>${intro}</p>
${alert}
<form method="post">
${asksPassword ? passwordFields() : html``}
<button>${button}</button>
${name === 'verify-email' ? notMeButton() : html``}
</form>`,
  );
}

export function donePage({ title, text }: DoneWords): string {
  return messagePage(title, text);
}

export function messagePage(title: string, text: string): string {
  return page(title, html`<p>${text}</p>`);
}

function passwordFields(): Html {
  return html`<label>New password
<input type="password" name="password" autocomplete="new-password" required minlength="8" autofocus></label>
<label>The same again
<input type="password" name="repetition" autocomplete="new-password" required></label>`;
}

function notMeButton(): Html {
  return html`<button class="other" name="${NOT_ME.name}" value="${NOT_ME.value}">This was not me</button>`;
}
