import type {
  CounterRecord,
  IdentityRecord,
  OneTimeTokenRecord,
  SessionRecord,
  UserRecord,
} from './ports.ts';

/** Deeper data is somebody's attack on a stack, not somebody's profile. */
const MAX_DEPTH = 100;

/**
 * A string that every store keeps as it is, and nothing else: `{ "$ne": null }` would be an operator to MongoDB and
 * named parameters to node:sqlite. A lone surrogate becomes U+FFFD on its way to UTF-8, so two different names would
 * become one; PostgreSQL and BSON keys have no NUL. The text of the error never holds the value.
 */
export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string`);
  if (!value.isWellFormed() || value.includes('\0'))
    throw new TypeError(`${name} must be well-formed Unicode without NUL characters`);
}

export function checkStrings(values: unknown, name: string): asserts values is readonly string[] {
  if (!Array.isArray(values)) throw new TypeError(`${name} must be an array of strings`);
  for (const value of values) checkString(value, name);
}

export function checkNumber(value: unknown, name: string): asserts value is number {
  if (!Number.isFinite(value)) throw new TypeError(`${name} must be a finite number`);
}

/** What is counted: stores keep it as an integer. */
export function checkCount(value: unknown, name: string): asserts value is number {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${name} must be an integer`);
}

export function checkUser(user: UserRecord): void {
  checkString(user?.id, 'user.id');
  checkCount(user.version, 'user.version');
  checkStringOrNull(user.username, 'user.username');
  if (!Array.isArray(user.emails)) throw new TypeError('user.emails must be an array');
  for (const email of user.emails) {
    checkString(email?.address, 'email.address');
    checkString(email.canonical, 'email.canonical');
    checkBoolean(email.verified, 'email.verified');
    checkBoolean(email.claimed, 'email.claimed');
  }
  checkBoolean(user.deactivated, 'user.deactivated');
  checkData(user.profile, 'user.profile');
  checkNumber(user.createdAt, 'user.createdAt');
  checkNumber(user.updatedAt, 'user.updatedAt');
}

export function checkNewUser(user: UserRecord, identities: readonly IdentityRecord[]): void {
  checkUser(user);
  if (!Array.isArray(identities)) throw new TypeError('identities must be an array');
  for (const identity of identities) {
    checkIdentity(identity);
    if (identity.userId !== user.id) throw new TypeError('identity.userId must be user.id');
  }
}

export function checkIdentity(identity: IdentityRecord): void {
  checkString(identity?.service, 'identity.service');
  checkString(identity.subject, 'identity.subject');
  checkString(identity.userId, 'identity.userId');
  checkCount(identity.version, 'identity.version');
  checkData(identity.data, 'identity.data');
  checkNumber(identity.createdAt, 'identity.createdAt');
}

export function checkSession(session: SessionRecord): void {
  checkString(session?.id, 'session.id');
  checkString(session.userId, 'session.userId');
  checkCount(session.version, 'session.version');
  checkCount(session.rotation, 'session.rotation');
  checkNumber(session.rotatedAt, 'session.rotatedAt');
  checkNumber(session.createdAt, 'session.createdAt');
  checkNumber(session.idleExpiresAt, 'session.idleExpiresAt');
  checkNumber(session.expiresAt, 'session.expiresAt');
  if (session.revokedAt !== null) checkNumber(session.revokedAt, 'session.revokedAt');
  checkNumber(session.authenticatedAt, 'session.authenticatedAt');
  checkStrings(session.amr, 'session.amr');
  checkStringOrNull(session.actorSessionId, 'session.actorSessionId');
  checkStringOrNull(session.actorUserId, 'session.actorUserId');
  checkStringOrNull(session.ip, 'session.ip');
  checkStringOrNull(session.userAgent, 'session.userAgent');
}

export function checkOneTimeToken(token: OneTimeTokenRecord): void {
  checkString(token?.key, 'token.key');
  checkString(token.hash, 'token.hash');
  checkString(token.purpose, 'token.purpose');
  checkString(token.userId, 'token.userId');
  checkData(token.data, 'token.data');
  checkNumber(token.createdAt, 'token.createdAt');
  checkNumber(token.expiresAt, 'token.expiresAt');
}

export function checkCounter(counter: CounterRecord): void {
  checkString(counter?.key, 'counter.key');
  checkCount(counter.points, 'counter.points');
  checkNumber(counter.expiresAt, 'counter.expiresAt');
}

function checkStringOrNull(value: unknown, name: string): void {
  if (value !== null) checkString(value, name);
}

function checkBoolean(value: unknown, name: string): void {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be a boolean`);
}

function checkData(value: unknown, name: string): void {
  if (!isPlainObject(value)) throw new TypeError(`${name} must be a plain object`);
  checkJson(value, name, 0);
}

/** What JSON keeps unchanged: no undefined, no dates, nothing with a `toJSON`. */
function checkJson(value: unknown, name: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new TypeError(`${name} is nested too deeply`);
  if (typeof value === 'string') checkString(value, name);
  else if (typeof value === 'number') checkNumber(value, name);
  else if (Array.isArray(value)) {
    for (const item of value) checkJson(item, name, depth + 1);
  } else if (isPlainObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      checkString(key, name);
      checkJson(item, name, depth + 1);
    }
  } else if (value !== null && typeof value !== 'boolean') throw new TypeError(`${name} must be JSON`);
}

/** Also of another realm: test runners have several, each with an `Object.prototype` of its own. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
