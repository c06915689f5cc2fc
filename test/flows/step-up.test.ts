// A session that was left open, from outside: what it may still do, and what a fresh proof gives back.
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { PASSWORD } from '../accounts.ts';
import { codeIn, createTwoFactor, MINUTE, wrongCode } from '../services/two-factor/accounts.ts';

const ADD_EMAIL = 'mutation ($newEmail: String!) { addEmail(newEmail: $newEmail) }';

for (const useStatelessSession of [false, true])
  describe(`S36, S41 step-up ${useStatelessSession ? 'statelessly' : 'statefully'}`, () => {
    const start = () => {
      const accounts = createTwoFactor({ options: { useStatelessSession } });
      const addEmail = (token: string, newEmail: string) =>
        accounts.ask(ADD_EMAIL, { token, variables: { newEmail } });
      return { ...accounts, addEmail };
    };
    const byPassword = { user: { username: 'ada' }, password: PASSWORD };

    test('an old session is refused before anything else; the password renews it and starts no session', async () => {
      const { signUp, logIn, addEmail, verify, clock, db } = start();
      const id = await signUp('ada');
      const { accessToken = '' } = await logIn('ada');
      const token = accessToken ?? '';
      clock.pass(11 * MINUTE);
      for (const email of ['new@example.com', 'no address'])
        expect(codeIn(await addEmail(token, email))).toBe('RECENT_LOGIN_REQUIRED');
      expect(codeIn(await verify('password', { ...byPassword, password: 'not it, surely' }, token))).toBe(
        'INVALID_CREDENTIALS',
      );
      expect(codeIn(await addEmail(token, 'new@example.com'))).toBe('RECENT_LOGIN_REQUIRED');
      expect(await verify('password', byPassword, token)).toEqual({ data: { verifyAuthentication: true } });
      expect(await addEmail(token, 'new@example.com')).toEqual({ data: { addEmail: true } });
      expect(await db.sessions.findByUser(id)).toHaveLength(1);
    });

    test('a second factor is asked for as well, and its challenge is good for this session only', async () => {
      const { enrolled, addEmail, verify, authenticate, clock, db } = start();
      const { id, token, secret, code } = await enrolled('ada');
      clock.pass(11 * MINUTE);
      const asked = await verify('password', byPassword, token);
      expect(codeIn(asked)).toBe('TWO_FACTOR_REQUIRED');
      const { challenge } = asked.errors?.[0]?.extensions ?? {};
      expect(codeIn(await addEmail(token, 'new@example.com'))).toBe('RECENT_LOGIN_REQUIRED');
      // It stands for a proof to this session, and begins none.
      expect((await authenticate('twoFactor', { token: challenge, code: code() })).code).toBe(
        'INVALID_TOKEN',
      );
      const wrong = { token: challenge, code: wrongCode(secret, clock.now()) };
      expect(codeIn(await verify('twoFactor', wrong, token))).toBe('INVALID_CODE');
      expect(codeIn(await addEmail(token, 'new@example.com'))).toBe('RECENT_LOGIN_REQUIRED');
      expect(codeIn(await verify('twoFactor', { token: challenge, code: code() }, token))).toBeNull();
      expect(await addEmail(token, 'new@example.com')).toEqual({ data: { addEmail: true } });
      const [session, ...others] = await db.sessions.findByUser(id);
      expect(others).toEqual([]);
      expect(session?.amr).toEqual(expect.arrayContaining(['pwd', 'otp', 'mfa']));
    });

    test('in one step with the code, and tokens say so once they are refreshed', async () => {
      const { enrolled, verify, server, clock, authenticate } = start();
      const { code } = await enrolled('ada');
      const login = await authenticate('password', { ...byPassword, code: code() });
      const begun = Math.floor(clock.now() / 1000);
      const claims = (token: string | null) => {
        const { auth_time, amr } = jwt.decode(token ?? '') as { auth_time: number; amr: string[] };
        return [auth_time, [...amr].sort()];
      };
      expect(claims(login.accessToken)).toEqual([begun, ['mfa', 'otp', 'pwd']]);
      clock.pass(11 * MINUTE);
      const refresh = async () =>
        (await server.refreshTokens(login.accessToken ?? '', login.refreshToken ?? '')).tokens;
      const refreshed = await refresh();
      expect(claims(refreshed.accessToken)).toEqual([begun, ['mfa', 'otp', 'pwd']]);
      const renewed = await verify('password', { ...byPassword, code: code() }, refreshed.accessToken);
      expect(codeIn(renewed)).toBeNull();
      const { tokens } = await server.refreshTokens(refreshed.accessToken, refreshed.refreshToken);
      expect(claims(tokens.accessToken)).toEqual([begun + 11 * 60, ['mfa', 'otp', 'pwd']]);
    });

    test('a proof without a session, or for one that has ended, renews none', async () => {
      const { signUp, logIn, addEmail, verify, ask, clock } = start();
      await signUp('ada');
      const [one, two] = [await logIn('ada'), await logIn('ada')];
      await ask('mutation { logout }', { token: two.accessToken });
      clock.pass(11 * MINUTE);
      for (const token of ['', 'bad', two.accessToken ?? ''])
        expect(await verify('password', byPassword, token)).toEqual({ data: { verifyAuthentication: true } });
      expect(codeIn(await addEmail(one.accessToken ?? '', 'new@example.com'))).toBe('RECENT_LOGIN_REQUIRED');
    });
  });
