interface Login {
  user: { readonly id?: unknown };
  tokens: { readonly accessToken?: unknown };
}

/** Users of a login that was just made or renewed: whoever gets them is their owner. */
const ownUsers = new WeakSet<object>();

/** Notes whose the login is that an operation gives. */
export function withOwner(result: unknown): unknown {
  if (result instanceof Promise) return result.then(withOwner);
  for (const { user, tokens } of loginsIn(result)) if (isOwn(user, tokens)) ownUsers.add(user);
  return result;
}

/** The login that an operation gives, by itself or beside what else it has done. */
export function loginsIn(result: unknown): Login[] {
  const candidates = isObject(result) ? [result, result.loginResult] : [];
  return candidates.filter(isLogin);
}

/** Whether the user was given to its owner by a login of the same request. */
export function isOwnUser(user: object): boolean {
  return ownUsers.has(user);
}

function isLogin(value: unknown): value is Login {
  return isObject(value) && isObject(value.user) && isObject(value.tokens);
}

/** Not one of an impersonator, who is not the user. */
function isOwn(user: { id?: unknown }, { accessToken }: Login['tokens']): boolean {
  const payload = String(accessToken).split('.')[1] ?? '';
  try {
    // Of a token that was made by us a moment ago.
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return isObject(claims) && claims.sub === user.id && claims.act === undefined;
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
