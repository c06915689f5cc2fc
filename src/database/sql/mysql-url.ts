/** What a pool of mysql2 is told for a URL. */
export interface MysqlAddress {
  uri: string;
  ssl?: { rejectUnauthorized: boolean; verifyIdentity: boolean };
}

/** The names that the clients of MySQL and those who rent it out have for one parameter. */
const PARAMETER = /^ssl-?mode$/i;

/** As the manual of MySQL has them. Without TLS is what a URL without the parameter means. */
const MODES: { readonly [mode: string]: MysqlAddress['ssl'] } = {
  DISABLED: undefined,
  PREFERRED: undefined,
  REQUIRED: { rejectUnauthorized: false, verifyIdentity: false },
  VERIFY_CA: { rejectUnauthorized: true, verifyIdentity: false },
  VERIFY_IDENTITY: { rejectUnauthorized: true, verifyIdentity: true },
};

/**
 * mysql2 ignores a parameter that it does not know: who asks for TLS by `ssl-mode` would send passwords in the clear.
 *
 * @throws TypeError when it is no mode of MySQL.
 */
export function readMysqlUrl(url: string): MysqlAddress {
  const address = new URL(url.replace(/^mariadb:/i, 'mysql:'));
  const names = [...address.searchParams.keys()].filter((name) => PARAMETER.test(name));
  let ssl: MysqlAddress['ssl'];
  for (const name of names) {
    const mode = address.searchParams.get(name)?.toUpperCase().replaceAll('-', '_') ?? '';
    if (!Object.hasOwn(MODES, mode))
      throw new TypeError(`${name} must be one of ${Object.keys(MODES).join(', ')}`);
    ssl = MODES[mode];
    address.searchParams.delete(name);
  }
  return { uri: address.href, ...(ssl && { ssl }) };
}
