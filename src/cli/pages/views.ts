import { type Html, html, page } from './html.ts';

/** The words of a page, before and after its form was sent. */
interface PageWords {
  title: string;
  intro: string;
  button: string;
  done: { title: string; text: string };
}

/** The pages that mailed links lead to, by the first segment of their path. */
export const WORDS = {
  'verify-email': {
    title: 'Confirm your e-mail address',
    intro: 'Press the button to confirm that this address is yours.',
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
} satisfies { [page: string]: PageWords };

/**
 * A page with its form. The form names no action, so it is sent to the address of the page, whatever path a proxy puts
 * in front. `problem` is why the form is shown again.
 */
export function formPage(words: PageWords, asksPassword: boolean, problem?: string): string {
  const alert = problem === undefined ? html`` : html`<p role="alert">${problem}</p>`;
  return page(
    words.title,
    html`<p>${words.intro}</p>
${alert}
<form method="post">
${asksPassword ? passwordFields() : html``}
<button>${words.button}</button>
</form>`,
  );
}

export function donePage({ done }: PageWords): string {
  return page(done.title, html`<p>${done.text}</p>`);
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
