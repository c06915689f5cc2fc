import { AccountsError } from 'graphql-accounts';
import { cookies } from 'next/headers';
import { redirect } from 'next/navigation';
import { accountsServer, getAccounts } from './accounts';

const COOKIE = '__Host-accounts';

async function logIn(form: FormData) {
  'use server';
  const { connection } = await getAccounts();
  const params = { user: { email: String(form.get('email')) }, password: String(form.get('password')) };
  try {
    const { tokens } = await accountsServer().loginWithService('password', params, connection);
    const attributes = { httpOnly: true, secure: true, sameSite: 'lax', path: '/' } as const;
    (await cookies()).set(COOKIE, tokens.accessToken, attributes);
  } catch (error) {
    if (error instanceof AccountsError) redirect(`/?refused=${error.code}`);
    throw error;
  }
  redirect('/');
}

async function logOut() {
  'use server';
  const { authToken } = await getAccounts();
  if (authToken !== null) await accountsServer().logout(authToken);
  (await cookies()).delete(COOKIE);
  redirect('/');
}

export default async function Page({ searchParams }: { searchParams: Promise<{ refused?: string }> }) {
  const { user } = await getAccounts();
  const { refused } = await searchParams;
  if (user)
    return (
      <form action={logOut}>
        <p>You are {user.emails[0]?.address}.</p>
        <button type="submit">Log out</button>
      </form>
    );
  return (
    <form action={logIn}>
      <p>You are not logged in. {refused}</p>
      <input name="email" type="email" placeholder="E-mail" />
      <input name="password" type="password" placeholder="Password" />
      <button type="submit">Log in</button>
    </form>
  );
}
