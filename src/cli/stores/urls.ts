import { BadConfiguration } from '../bad-configuration.ts';

/** Where users are kept. */
export type DatabaseUrl =
  | { kind: 'memory' }
  | { kind: 'sqlite'; path: string }
  | { kind: 'sql'; url: string }
  | { kind: 'mongodb'; url: string };

/** Where sessions are kept when they are not with the users: one server of Redis, or the nodes of a cluster. */
export interface SessionsUrl {
  nodes: readonly [RedisNode, ...RedisNode[]];
  cluster: boolean;
  tls: boolean;
  username: string | undefined;
  password: string | undefined;
  /** The number of the logical database; a cluster has only 0. */
  db: number;
}

interface RedisNode {
  host: string;
  port: number;
}

const FORMS = 'give sqlite:PATH, mongodb://…, postgres://… or mysql://…';
const REDIS_PORT = 6379;
/** Hosts in a list: the driver ends the program when one of them has no name. */
const MONGODB_HOSTS = /^[^:]+:\/\/(?:[^/?#\s]*@)?[^,:/?#\s][^,/?#\s]*(?:,[^,:/?#\s][^,/?#\s]*)*(?:[/?#]|$)/;

/** Reads the URL of a database. Throws BadConfiguration under the name that its user knows it by, without the value. */
export function parseDatabaseUrl(url: string, name: string): DatabaseUrl {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'sqlite':
      return parseSqlite(url, name);
    case 'mongodb':
    case 'mongodb+srv':
      checkEncoded(url, name);
      // Not for `URL`: a replica set has several hosts.
      if (!MONGODB_HOSTS.test(url)) throw namesNoServer(name, scheme);
      return { kind: 'mongodb', url };
    case 'postgres':
    case 'postgresql':
    case 'mysql':
    case 'mariadb': {
      checkEncoded(url, name);
      const parsed = URL.parse(url);
      // A socket in the file system stands in the parameter `host`.
      if (!parsed || !(parsed.hostname || parsed.searchParams.has('host'))) throw namesNoServer(name, scheme);
      return { kind: 'sql', url };
    }
    case 'redis':
    case 'rediss':
      throw new BadConfiguration(
        `${name}: Redis keeps sessions only. Set SESSIONS_URL to it; for users ${FORMS}`,
      );
    default:
      throw new BadConfiguration(`${name} is no URL of a database: ${FORMS}`);
  }
}

function parseSqlite(url: string, name: string): DatabaseUrl {
  const path = url.slice('sqlite:'.length).replace(/^\/\//, '');
  if (path === ':memory:') return { kind: 'memory' };
  if (path === '' || path.includes('\0') || path.endsWith('/'))
    throw new BadConfiguration(`${name} names no file: give sqlite:PATH or sqlite::memory:`);
  return { kind: 'sqlite', path };
}

/**
 * A password with a `/`, `?` or `#` of its own ends the name of the server before it has begun: the password would be
 * taken for a database, and be told to whoever reads why there is none. `@` may stand in a parameter.
 */
function checkEncoded(url: string, name: string): void {
  const [, authority = '', path = '', query = '', hash = ''] =
    /^[^:]+:\/\/([^/?#]*)([^?#]*)([^#]*)(.*)$/s.exec(url) ?? [];
  if (!(path + hash).includes('@') && (authority.includes('@') || !query.includes('@'))) return;
  throw new BadConfiguration(
    `${name}: in its user and password write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25`,
  );
}

function namesNoServer(name: string, scheme: string): BadConfiguration {
  return new BadConfiguration(`${name} names no server: give ${scheme}://user:password@host/database`);
}

/** Reads `redis://host:port`, or `redis://h1:p1,h2:p2,h3:p3` for a cluster. Throws BadConfiguration without the value. */
export function parseSessionsUrl(url: string): SessionsUrl {
  const refused = (): BadConfiguration =>
    new BadConfiguration(
      'SESSIONS_URL must be redis://host:port, or redis://h1:p1,h2:p2,h3:p3 for a cluster (rediss:// with TLS)',
    );
  const parts = /^(rediss?):\/\/(?:([^@/?#]*)@)?([^@/?#\s]+)(?:\/(\d{0,4}))?$/i.exec(url);
  if (!parts) throw refused();
  const [, scheme = '', credentials = '', authority = '', db = ''] = parts;
  const [first, ...others] = authority.split(',').map((node) => parseNode(scheme, node, refused));
  if (!first) throw refused();
  const cluster = others.length > 0;
  if (cluster && Number(db) > 0)
    throw new BadConfiguration('SESSIONS_URL: a cluster has no numbered databases');
  const { username, password } = parseCredentials(credentials, refused);
  const tls = scheme.toLowerCase() === 'rediss';
  return { nodes: [first, ...others], cluster, tls, username, password, db: Number(db) };
}

function parseNode(scheme: string, node: string, refused: () => BadConfiguration): RedisNode {
  const parsed = URL.parse(`${scheme}://${node}`);
  if (!parsed?.hostname || parsed.pathname.length > 1) throw refused();
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: parsed.port === '' ? REDIS_PORT : Number(parsed.port) };
}

function parseCredentials(text: string, refused: () => BadConfiguration) {
  const colon = text.indexOf(':');
  const [user, secret] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  try {
    return {
      username: user === '' ? undefined : decodeURIComponent(user),
      password: secret === '' ? undefined : decodeURIComponent(secret),
    };
  } catch {
    throw refused();
  }
}
