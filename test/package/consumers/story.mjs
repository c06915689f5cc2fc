// Runs on every runtime alike: Web APIs only.
import { createAccountsClient } from 'graphql-accounts/client';
import { verifyAccessToken } from 'graphql-accounts/verify';

/** What went wrong; nothing else is told. */
export async function story({ url, user, cases }) {
  const faults = [];
  const expect = (name, found, wanted) => {
    if (found !== wanted) faults.push(`${name}: ${found}, not ${wanted}`);
  };
  const codeOf = (call) =>
    call.then(
      () => 'no refusal',
      (error) => error.code ?? String(error),
    );
  for (const { name, options, userId, accessToken, refreshToken } of cases) {
    const verify = (token) => verifyAccessToken(token, options);
    const claims = await verify(accessToken).catch((error) => ({ userId: String(error) }));
    expect(name, claims.userId, userId);
    for (const [how, token] of Object.entries(forgeries(accessToken, cases))) {
      expect(`${name}, ${how}`, await codeOf(verify(token)), 'UNAUTHENTICATED');
    }
    expect(`${name}, a refresh token`, await codeOf(verify(refreshToken)), 'UNAUTHENTICATED');
    const later = { ...options, now: () => Date.now() + 3_600_000 };
    expect(`${name}, expired`, await codeOf(verifyAccessToken(accessToken, later)), 'UNAUTHENTICATED');
  }
  const client = createAccountsClient({ url });
  expect('nobody', await client.getUser(), null);
  expect(
    'a wrong password',
    await codeOf(client.login({ ...user, password: 'wrong password' })),
    'INVALID_CREDENTIALS',
  );
  const { id } = await client.login(user);
  expect('who is logged in', (await client.getUser())?.id, id);
  const before = await client.accessToken();
  expect('a refresh', (await client.refresh()) === before, false);
  const query = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ getUser { id } }"}',
  };
  const answer = await (await client.fetch(url, query)).json();
  expect('the fetch of the client', answer.data?.getUser?.id, id);
  await client.logout();
  expect('after the logout', await client.getUser(), null);
  return faults;
}

function forgeries(token, cases) {
  const [header, payload, signature] = token.split('.');
  const encode = (part) =>
    btoa(JSON.stringify(part)).replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_');
  const decode = (part) => JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/')));
  const headed = (more) => `${encode({ ...decode(header), ...more })}.${payload}.${signature}`;
  const other = cases.find(({ accessToken }) => accessToken !== token);
  return {
    'of somebody else': `${header}.${encode({ ...decode(payload), sub: 'eve' })}.${signature}`,
    'with the signature of another': `${header}.${payload}.${other.accessToken.split('.')[2]}`,
    'of another server': other.accessToken,
    'with alg none': `${encode({ ...decode(header), alg: 'none' })}.${payload}.`,
    'with a crit': headed({ crit: ['x'], x: 1 }),
    'with a byte more': `${token}A`,
    'that is none': 'x',
  };
}
