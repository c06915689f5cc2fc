/** What a pool of mysql2 is told for a URL. */
export interface MysqlAddress {
  uri: string;
  ssl?: Tls;
}

interface Tls {
  rejectUnauthorized: boolean;
  verifyIdentity: boolean;
}

/** As the manual of MySQL has them. Without TLS is what a URL without the parameter means. */
const MODES: ReadonlyMap<string, Tls | null> = new Map([
  ['DISABLED', null],
  ['PREFERRED', null],
  ['REQUIRED', { rejectUnauthorized: false, verifyIdentity: false }],
  ['VERIFY_CA', { rejectUnauthorized: true, verifyIdentity: false }],
  ['VERIFY_IDENTITY', { rejectUnauthorized: true, verifyIdentity: true }],
]);

/** Clients of MySQL, and those who rent it out, have several names for one parameter. */
const PARAMETER = /^ssl-?mode$/i;

/** A short way to say it. Whatever else `ssl` holds is for mysql2. */
const SHORT: ReadonlyMap<string, string> = new Map([
  ['true', 'VERIFY_IDENTITY'],
  ['false', 'DISABLED'],
]);

/**
 * mysql2 ignores a parameter that it does not know: whoever asks for TLS by `ssl-mode` would send everything in the
 * clear.
 *
 * @throws TypeError when it is no mode of MySQL.
 */
export function readMysqlUrl(url: string): MysqlAddress {
  const address = new URL(url.replace(/^mariadb:/i, 'mysql:'));
  let ssl: Tls | null = null;
  for (const [name, value] of [...address.searchParams]) {
    const mode = PARAMETER.test(name) ? value : name === 'ssl' ? SHORT.get(value) : undefined;
    if (mode === undefined) continue;
    const found = MODES.get(mode.toUpperCase().replaceAll('-', '_'));
    if (found === undefined) throw new TypeError(`${name} must be one of ${[...MODES.keys()].join(', ')}`);
    ssl = found;
    address.searchParams.delete(name);
  }
  return { uri: address.href, ...(ssl && { ssl }) };
}
