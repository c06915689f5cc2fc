// What a front end does with passkeys. The tokens are kept in memory: a reload logs out.
import {
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser';

const element = (id) => document.getElementById(id);
/** A challenge is good for five minutes. */
const RENEW_AFTER = 4 * 60_000;

let accessToken = null;
let renewal;
/** Whether a dialog asks for a passkey: an offer that came after it would end it. */
let dialogIsOpen = false;

async function graphql(query, variables = {}) {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(accessToken && { authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (!errors) return data;
  const [{ message, extensions }] = errors;
  throw Object.assign(new Error(message), { code: extensions?.code });
}

/** Asks the browser for a passkey; the parameters to authenticate with. */
async function askPasskey({ autofill = false } = {}) {
  const { passkeyLoginOptions } = await graphql('mutation { passkeyLoginOptions { options challenge } }');
  const { options, challenge } = passkeyLoginOptions;
  if (autofill && dialogIsOpen) throw new DOMException('A dialog asks already.', 'AbortError');
  const response = await startAuthentication({ optionsJSON: options, useBrowserAutofill: autofill });
  return { token: challenge, response };
}

/** Lets the browser offer passkeys in the field of the address, for as long as the page is open (conditional UI). */
async function offerPasskeys() {
  clearTimeout(renewal);
  if (!(await browserSupportsWebAuthnAutofill())) return;
  renewal = setTimeout(offerPasskeys, RENEW_AFTER);
  try {
    await enter('passkey', await askPasskey({ autofill: true }));
  } catch (error) {
    // Another request took its place, such as the button's.
    if (error.name !== 'AbortError') tell(error);
  }
}

async function logInWithPasskey() {
  dialogIsOpen = true;
  try {
    await enter('passkey', await askPasskey());
  } catch (error) {
    tell(error);
  }
  dialogIsOpen = false;
  // The dialog has ended the offer.
  if (accessToken === null) void offerPasskeys();
}

async function enter(serviceName, params) {
  const { authenticate } = await graphql(
    `mutation ($serviceName: String!, $params: AuthenticateParamsInput!) {
      authenticate(serviceName: $serviceName, params: $params) {
        tokens { accessToken }
        user { emails { address } }
      }
    }`,
    { serviceName, params },
  );
  clearTimeout(renewal);
  accessToken = authenticate.tokens.accessToken;
  element('who').textContent = authenticate.user.emails[0].address;
  await showPasskeys();
  show({ inside: true });
}

async function showPasskeys() {
  const { passkeys } = await graphql('{ passkeys { id name createdAt lastUsedAt backedUp } }');
  element('passkeys').replaceChildren(...passkeys.map(listItem));
}

function listItem({ id, name, lastUsedAt, backedUp }) {
  const used = lastUsedAt ? `last used ${new Date(lastUsedAt).toLocaleString()}` : 'never used';
  const item = document.createElement('li');
  item.append(`${name}, ${used}${backedUp ? ', synchronised' : ''} `);
  item.append(
    button('Rename', () => renamePasskey(id, name)),
    ' ',
    button('Remove', () => removePasskey(id)),
  );
  return item;
}

async function addPasskey() {
  const { passkeyRegistrationOptions } = await fresh(() =>
    graphql('mutation { passkeyRegistrationOptions }'),
  );
  const response = await startRegistration({ optionsJSON: passkeyRegistrationOptions });
  await graphql('mutation ($response: JSON!) { passkeyRegister(response: $response) { id } }', { response });
  await showPasskeys();
  tell('The passkey was added.');
}

async function renamePasskey(id, name) {
  const newName = prompt('What do you call this passkey?', name);
  if (newName === null) return;
  await graphql('mutation ($id: ID!, $name: String!) { passkeyRename(id: $id, name: $name) { id } }', {
    id,
    name: newName,
  });
  await showPasskeys();
}

async function removePasskey(id) {
  await fresh(() => graphql('mutation ($id: ID!) { passkeyRemove(id: $id) }', { id }));
  await showPasskeys();
  tell('The passkey was removed.');
}

/** Does what needs a fresh proof; where the last one is too old, the passkey is asked once more. */
async function fresh(work) {
  try {
    return await work();
  } catch (error) {
    if (error.code !== 'RECENT_LOGIN_REQUIRED') throw error;
    await graphql(
      'mutation ($params: AuthenticateParamsInput!) { verifyAuthentication(serviceName: "passkey", params: $params) }',
      { params: await askPasskey() },
    );
    return work();
  }
}

const typed = () => ({ email: element('email').value, password: element('password').value });

function logIn() {
  const { email, password } = typed();
  return enter('password', { user: { email }, password });
}

async function signUp() {
  await graphql('mutation ($user: CreateUserInput!) { createUser(user: $user) { userId } }', {
    user: typed(),
  });
  await logIn();
}

async function logOut() {
  await graphql('mutation { logout }');
  accessToken = null;
  show({ inside: false });
  void offerPasskeys();
}

function show({ inside }) {
  element('inside').hidden = !inside;
  element('outside').hidden = inside;
  tell('');
}

function tell(problem) {
  const { name, message = problem } = problem;
  element('told').textContent = name === 'NotAllowedError' ? 'No passkey was given.' : message;
}

function button(text, work) {
  const made = Object.assign(document.createElement('button'), { type: 'button', textContent: text });
  made.addEventListener('click', () => {
    tell('');
    work().catch(tell);
  });
  return made;
}

for (const [id, work] of Object.entries({
  'sign-up': () => element('outside').reportValidity() && signUp(),
  'use-passkey': logInWithPasskey,
  'log-out': logOut,
  add: addPasskey,
})) {
  element(id).addEventListener('click', async () => {
    tell('');
    try {
      await work();
    } catch (error) {
      tell(error);
    }
  });
}
element('outside').addEventListener('submit', (event) => {
  event.preventDefault();
  logIn().catch(tell);
});
element('use-passkey').hidden = !browserSupportsWebAuthn();
void offerPasskeys();
