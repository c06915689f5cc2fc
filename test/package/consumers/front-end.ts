// What a front end and a worker write: neither the types of Node nor those of graphql are there.
import {
  AccountsClientError,
  browserStorage,
  createAccountsClient,
  type StoredTokens,
  type TokenStorage,
} from 'graphql-accounts/client';
import { AccountsError, type VerifiedAccessToken, verifyAccessToken } from 'graphql-accounts/verify';

export async function inFrontEnd(storage: TokenStorage = browserStorage()): Promise<string | null> {
  const client = createAccountsClient({ url: 'https://api.example/graphql', storage });
  const transport: typeof fetch = client.fetch;
  try {
    await transport('https://api.example/graphql', { headers: await client.authorizationHeaders() });
    return (await client.login({ email: 'ada@example.com', password: 'secret' })).id;
  } catch (error) {
    if (error instanceof AccountsClientError && error.code === 'RATE_LIMITED') console.log(error.retryAfter);
    return null;
  }
}

export const database: TokenStorage = {
  get: async () => JSON.parse(localStorage.getItem('mine') ?? 'null') as StoredTokens | null,
  set: async (tokens) => localStorage.setItem('mine', JSON.stringify(tokens)),
};

export async function inWorker(request: Request, secret: string, key: CryptoKey): Promise<Response> {
  const token = request.headers.get('authorization')?.replace('Bearer ', '');
  try {
    const { userId }: VerifiedAccessToken = await verifyAccessToken(token, { key: [secret, key] });
    return new Response(userId);
  } catch (error) {
    if (error instanceof AccountsError && error.code === 'UNAUTHENTICATED')
      return new Response(null, { status: 401 });
    throw error;
  }
}

// @ts-expect-error: nobody is logged in by an address alone
createAccountsClient({ url: '/graphql' }).login({ email: 'ada@example.com' });
