import { ask, LOG_IN, PASSWORD, SIGN_UP } from '../cli/child.ts';
import type { Feature } from './features.ts';

const STRANGER = 'You are not logged in';

/** A page of Next.js that says who asks for it, by a cookie; and its two forms, as browsers without scripts send them. */
export const pageWithUser: Feature = {
  title: '`getUser` in a server component',
  async run({ url }) {
    const page = new URL('/', url);
    const email = `page-${process.pid}@example.com`;
    await ask(url, SIGN_UP, { user: { email, password: PASSWORD } });
    expectText(await textOf(page), STRANGER);

    const refused = await submit(page, { email, password: 'not it' });
    expectText(refused.location, 'refused=INVALID_CREDENTIALS');
    const foreign = await submit(page, { email, password: PASSWORD }, { origin: 'https://evil.example' });
    if (foreign.cookie) throw new Error('a form of another site logs in');

    const { attributes, cookie } = await submit(page, { email, password: PASSWORD });
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=lax', 'Path=/'])
      expectText(attributes, attribute);
    expectText(await textOf(page, cookie), email);
    expectText(await textOf(page, `${cookie}; ${cookie}`), STRANGER);
    await submit(page, {}, { cookie });
    expectText(await textOf(page, cookie), STRANGER);

    const login = await ask(url, LOG_IN, { user: { email }, password: PASSWORD }, { 'x-accounts-csrf': '1' });
    const [kept = ''] = (login.headers.get('set-cookie') ?? '').split(';');
    expectText(await textOf(page, kept), email);
  },
};

async function textOf(page: URL, cookie = ''): Promise<string> {
  return (await fetch(page, { headers: { cookie } })).text();
}

/** Sends the form that the page shows to whoever has the cookie. */
async function submit(
  page: URL,
  fields: { [name: string]: string },
  headers: { [name: string]: string } = {},
) {
  const [, action = ''] = /name="(\$ACTION_ID_\w+)"/.exec(await textOf(page, headers.cookie)) ?? [];
  const body = new FormData();
  for (const [name, value] of Object.entries({ [action]: '', ...fields })) body.set(name, value);
  const answer = await fetch(page, { method: 'POST', body, headers, redirect: 'manual' });
  const attributes = answer.headers.get('set-cookie') ?? '';
  const [cookie = ''] = attributes.split(';');
  return { location: answer.headers.get('location') ?? '', attributes, cookie };
}

function expectText(text: string, expected: string): void {
  if (!text.includes(expected)) throw new Error(`no ${expected} in ${text.slice(0, 500)}`);
}
