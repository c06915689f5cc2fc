import { isObject } from '../is-object.ts';

interface Login {
  user: { readonly id?: unknown };
  tokens: { readonly accessToken?: unknown };
}

/**
 * By the context of an operation and their users, the logins that it has made or renewed: whoever gets the users there is
 * their owner. Not anywhere: listeners get the same objects, and an application may show who is online.
 */
const loginsOf = new WeakMap<object, WeakMap<object, Login>>();

/** Notes whose the login is that an operation gives. */
export function withOwner(result: unknown, context: unknown): unknown {
  if (result instanceof Promise) return result.then((login) => withOwner(login, context));
  for (const login of loginsIn(result)) note(login, context);
  return result;
}

/** The login that an operation gives, by itself or beside what else it has done. */
export function loginsIn(result: unknown): Login[] {
  const candidates = isObject(result) ? [result, result.loginResult] : [];
  return candidates.filter(isLogin);
}

/** Whether the user was given to its owner by a login of the same operation. */
export function isOwnUser(user: object, context: unknown): boolean {
  const login = isObject(context) ? loginsOf.get(context)?.get(user) : undefined;
  return login !== undefined && isOwn(login);
}

/** What an access token says. Only for one that this operation has just made: nothing is checked. Null for what is none. */
export function unverifiedClaims(accessToken: unknown): { readonly [claim: string]: unknown } | null {
  const payload = String(accessToken).split('.')[1] ?? '';
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return isObject(claims) ? claims : null;
  } catch {
    return null;
  }
}

function note(login: Login, context: unknown): void {
  if (!isObject(context)) return;
  const logins = loginsOf.get(context) ?? new WeakMap<object, Login>();
  loginsOf.set(context, logins.set(login.user, login));
}

function isLogin(value: unknown): value is Login {
  return isObject(value) && isObject(value.user) && isObject(value.tokens);
}

/** Not one of an impersonator, who is not the user. */
function isOwn({ user, tokens }: Login): boolean {
  const claims = unverifiedClaims(tokens.accessToken);
  return claims !== null && claims.sub === user.id && claims.act === undefined;
}
