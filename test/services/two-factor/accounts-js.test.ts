// The front end that accounts-js published, unchanged: what it does about second factors.
import { AccountsClient } from '@accounts/client';
import { AccountsClientPassword } from '@accounts/client-password';
import { AccountsGraphQLClient } from '@accounts/graphql-client';
import { type DocumentNode, print } from 'graphql';
import { expect, test } from 'vitest';
import { createClock, PASSWORD } from '../../accounts.ts';
import { codeAt, createTwoFactor, STEP } from './accounts.ts';

interface Request {
  mutation?: DocumentNode;
  query?: DocumentNode;
  variables?: object;
  context: { headers: { Authorization?: string } };
}

function createFrontEnd() {
  // The client looks at the clock of this process.
  const accounts = createTwoFactor({}, createClock(Date.now()));
  const send = ({ mutation, query, variables = {}, context }: Request) => {
    const document = mutation ?? query;
    const token = context.headers.Authorization?.replace('Bearer ', '') ?? null;
    return accounts.ask(document ? print(document) : '', { variables, token });
  };
  const transport = new AccountsGraphQLClient({ graphQLClient: { mutate: send, query: send } });
  const stored = new Map<string, string>();
  const tokenStorage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  };
  const client = new AccountsClient({ tokenStorage }, transport);
  return { ...accounts, client, transport, password: new AccountsClientPassword(client) };
}

const refused = (code: string) => ({
  errors: [expect.objectContaining({ extensions: expect.objectContaining({ code }) })],
});

test('turns a second factor on with the secret that it was given, logs in by it, and turns it off', async () => {
  const { client, password, transport, signUp, clock } = createFrontEnd();
  await signUp('ada');
  const user = { username: 'ada' };
  await password.login({ user, password: PASSWORD });
  // The client hands the whole secret back, which nobody reads.
  const secret = await transport.getTwoFactorSecret();
  const code = () => codeAt(secret.base32, clock.now());
  await transport.twoFactorSet(secret, code());
  clock.pass(STEP);
  await expect(password.login({ user, password: PASSWORD })).rejects.toMatchObject(
    refused('TWO_FACTOR_REQUIRED'),
  );
  await expect(password.login({ user, password: PASSWORD, code: '1234567' })).rejects.toMatchObject(
    refused('INVALID_CODE'),
  );
  const { tokens } = await password.login({ user, password: PASSWORD, code: code() });
  expect(await client.getTokens()).toMatchObject({ accessToken: tokens.accessToken });
  clock.pass(STEP);
  await transport.twoFactorUnset(code());
  await password.login({ user, password: PASSWORD });
});
