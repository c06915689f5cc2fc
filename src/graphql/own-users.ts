/** Users of a login that was just made or renewed: whoever gets them is their owner. */
const ownUsers = new WeakSet<object>();

/** Notes whose the login is that an operation gives, by itself or beside what else it has done. */
export function withOwner(result: unknown): unknown {
  if (result instanceof Promise) return result.then(withOwner);
  const logins = isObject(result) ? [result, result.loginResult] : [];
  for (const login of logins) if (isOwnLogin(login)) ownUsers.add(login.user);
  return result;
}

/** Whether the user was given to its owner by a login of the same request. */
export function isOwnUser(user: object): boolean {
  return ownUsers.has(user);
}

/** Not one of an impersonator, who is not the user. */
function isOwnLogin(login: unknown): login is { user: object } {
  if (!isObject(login) || !isObject(login.user) || !isObject(login.tokens)) return false;
  const payload = String(login.tokens.accessToken).split('.')[1] ?? '';
  try {
    // Of a token that was made by us a moment ago.
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return isObject(claims) && claims.sub === login.user.id && claims.act === undefined;
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
