import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/cli/config.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { Bench, type Environment } from './child.ts';

const bench = new Bench();
afterAll(() => bench.close());

const SECRET = 'a secret of the tests that is long enough';

describe('bad configuration ends the start with one line and exit code 1', () => {
  test.concurrent.each<[string, string[], Environment]>([
    ['PORT', ['serve'], { PORT: 'abc' }],
    ['DATABASE_URL', ['serve'], { DATABASE_URL: 'postgres://ada:hunter2@localhost/accounts' }],
    ['a-file cannot be made', ['serve'], { PORT: '0', DATABASE_URL: 'sqlite:./a-file/accounts.db' }],
    ['not a SQLite database', ['serve'], { PORT: '0', DATABASE_URL: 'sqlite:./no-database.db' }],
    ['TOKEN_SECRET', ['serve'], { PORT: '0', TOKEN_SECRET: 'short' }],
    ['TOKEN_SECRET', ['serve'], { PORT: '0', TOKEN_SECRET: 'your-256-bit-secret-your-256-bit-secret' }],
    ['TOKEN_SECRET', ['serve'], { PORT: '0', NODE_ENV: 'production' }],
    ['MAIL_URL', ['serve'], { PORT: '0', MAIL_URL: 'file:./a-file/mails' }],
    ['cannot listen on', ['serve'], { PORT: '0', HOST: 'no such host' }],
    ['AMBIGUOUS_ERRORS=0', ['serve'], { PORT: '0', AUTOLOGIN: '1' }],
    ["unknown option '--prot' (Did you mean --port?)", ['serve', '--prot', '1'], {}],
    ["unknown option '--xyzzy'", ['serve', '--xyzzy'], {}],
    ["unknown command 'serv' (Did you mean serve?)", ['serv'], {}],
    ['--port', ['serve', '--port'], {}],
    ['too many arguments', ['serve', 'now'], {}],
    ['server', ['server'], {}],
  ])('%s: %s %o', async (named, args, environment) => {
    writeFileSync(join(bench.folder, 'a-file'), '');
    writeFileSync(join(bench.folder, 'no-database.db'), 'text '.repeat(1000));
    const { code, stdout, stderr } = await bench.run(args, environment);
    expect(stderr).toMatch(/^graphql-accounts: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(stderr + stdout).not.toContain('hunter2');
    expect(stdout).not.toContain('listening');
    expect(code).toBe(1);
  });

  test('a token secret in its file that is not safe', async () => {
    writeFileSync(join(bench.folder, 'copied.db.token-secret'), 'change-me-change-me-change-me-change-me\n');
    const { code, stderr } = await bench.run(['serve'], { PORT: '0', DATABASE_URL: 'sqlite:./copied.db' });
    expect(stderr).toMatch(
      /^graphql-accounts: the token secret in \S+copied\.db\.token-secret is an example[^\n]*\n$/,
    );
    expect(code).toBe(1);
  });

  test('a port in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { code, stderr } = await bench.run(['serve'], { PORT: String(port) });
    other.close();
    expect(stderr).toBe(
      `graphql-accounts: cannot listen on 127.0.0.1 port ${port}: the port is in use; set PORT to another\n`,
    );
    expect(code).toBe(1);
  });

  test.skipIf(process.getuid?.() === 0)('a folder without rights', async () => {
    const folder = join(bench.folder, 'locked');
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    const { code, stderr } = await bench.run(['serve'], {
      PORT: '0',
      DATABASE_URL: `sqlite:${folder}/a/b.db`,
    });
    chmodSync(folder, 0o700);
    expect(stderr).toMatch(/^graphql-accounts: DATABASE_URL[^\n]+permission denied\n$/);
    expect(code).toBe(1);
  });
});

test.each([
  ['before the server starts', 'process.umask = () => { throw new TypeError("%s") };'],
  [
    'while the accounts are made',
    'Object.defineProperty(URL.prototype, "hostname", { get() { if (this.protocol === "http:") throw new TypeError("%s"); return ""; } });',
  ],
])('an error of ours %s is called that, not bad configuration', async (_, broken) => {
  const script = broken.replace('%s', 'broken for ada@example.com\\nas a test');
  const preload = `--import=data:text/javascript,${encodeURIComponent(script)}`;
  const environment = { PORT: '0', DATABASE_URL: 'sqlite::memory:', NODE_OPTIONS: preload };
  const { code, stdout, stderr } = await bench.run(['serve'], environment);
  expect(stderr).toBe('graphql-accounts: internal error: TypeError: broken for …@… as a test\n');
  expect(stdout).toBe('');
  expect(code).toBe(1);
});

test.each([
  [['-h'], /^Usage: graphql-accounts \[options\]/],
  [['serve', '-h'], /^Usage: graphql-accounts serve/],
  [['-v'], /^\d+\.\d+\.\d+\S*\n$/],
  [['--version'], /^\d+\.\d+\.\d+\S*\n$/],
])('%s is answered', async (args, told) => {
  const { code, stdout, stderr } = await bench.run(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(told);
});

describe('the settings', () => {
  test.each<[Environment, string]>([
    [{ PORT: '65536' }, 'PORT'],
    [{ PORT: '-1' }, 'PORT'],
    [{ PORT: '4000.5' }, 'PORT'],
    [{ TOKEN_SECRET: 'hunter2' }, 'TOKEN_SECRET must have 32 bytes'],
    [{ STATELESS: 'yes' }, 'STATELESS'],
    [
      { AUTOLOGIN: '1', AMBIGUOUS_ERRORS: '0', REQUIRE_EMAIL_VERIFICATION: '1' },
      'REQUIRE_EMAIL_VERIFICATION',
    ],
    [{ DATABASE_URL: 'mongodb://127.0.0.1/accounts' }, 'TOKEN_SECRET is needed'],
    [{ DATABASE_URL: 'mysql://ada:hunter2@127.0.0.1/accounts' }, 'TOKEN_SECRET is needed'],
    [{ SESSIONS_URL: 'redis://:hunter2@127.0.0.1' }, 'TOKEN_SECRET is needed'],
    [{ DATABASE_URL: 'redis://:hunter2@127.0.0.1' }, 'Set SESSIONS_URL'],
    [{ DATABASE_URL: './accounts.db' }, 'DATABASE_URL is no URL of a database'],
    [{ DATABASE_URL: 'oracle://ada:hunter2@127.0.0.1' }, 'DATABASE_URL is no URL of a database'],
    [{ DATABASE_URL: 'ada:hunter2@127.0.0.1' }, 'DATABASE_URL is no URL of a database'],
    [{ DATABASE_URL: 'mongodb:///accounts' }, 'DATABASE_URL names no server'],
    [{ DATABASE_URL: 'mongodb://ada:a,b@one:27017,/accounts' }, 'DATABASE_URL names no server'],
    [{ DATABASE_URL: 'postgres:///accounts' }, 'DATABASE_URL names no server'],
    [{ DATABASE_URL: 'mysql://ada:hunter2@:x/accounts' }, 'DATABASE_URL names no server'],
    [{ SESSIONS_URL: 'mongodb://ada:hunter2@127.0.0.1' }, 'SESSIONS_URL must be redis://'],
    [{ SESSIONS_URL: 'redis://' }, 'SESSIONS_URL must be redis://'],
    [{ SESSIONS_URL: 'redis://:hunter2@127.0.0.1:abc' }, 'SESSIONS_URL must be redis://'],
    [{ SESSIONS_URL: 'redis://127.0.0.1:1,' }, 'SESSIONS_URL must be redis://'],
    [{ SESSIONS_URL: 'redis://127.0.0.1:1,127.0.0.1:2/3' }, 'a cluster has no numbered databases'],
    [{ ENCRYPTION_KEY: `${SECRET},hunter2` }, 'ENCRYPTION_KEY must be keys of 32 bytes or more'],
    [{ DATABASE_URL: 'sqlite:' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'sqlite:./data/' }, 'DATABASE_URL'],
    [{ MAIL_URL: 'http://example.com' }, 'MAIL_URL'],
    [{ MAIL_FROM: 'nobody' }, 'MAIL_FROM'],
    [{ MAIL_FROM: 'a@example.com\r\nBcc: b@example.com' }, 'MAIL_FROM'],
    [{ SITE_URL: 'example.com' }, 'SITE_URL'],
    [{ SITE_URL: 'https://example.com/?a=1' }, 'SITE_URL'],
    [{ SITE_URL: 'https://ada:hunter2@example.com' }, 'SITE_URL'],
    [{ RP_ID: 'https://example.com' }, 'RP_ID'],
    [{ RP_ID: '127.0.0.1' }, 'RP_ID'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    [{ HASH_CONCURRENCY: '0' }, 'HASH_CONCURRENCY'],
    [{ RETURN_TO_ORIGINS: 'app.example.com' }, 'RETURN_TO_ORIGINS'],
    [{ RETURN_TO_ORIGINS: 'https://app.example.com/a' }, 'RETURN_TO_ORIGINS'],
    [{ RETURN_TO_ORIGINS: 'https://ada:hunter2@app.example.com' }, 'RETURN_TO_ORIGINS'],
    [{ RETURN_TO_ORIGINS: 'javascript:alert(1)' }, 'RETURN_TO_ORIGINS'],
    [{ TRUSTED_PROXIES: '10.0.0.0/33' }, 'TRUSTED_PROXIES'],
    [{ TRUSTED_PROXIES: 'proxy.example.com' }, 'TRUSTED_PROXIES'],
  ])('%o is refused', (environment, told) => {
    expect(() => configOf(environment)).toThrow(told);
    expect(() => configOf(environment)).not.toThrow('hunter2');
  });

  test('nothing set is a whole configuration', () => {
    expect(configOf({})).toEqual({
      production: false,
      port: 4000,
      host: '127.0.0.1',
      database: { kind: 'sqlite', path: './data/accounts.db' },
      sessions: null,
      tokenSecret: null,
      encryptionKeys: [],
      stateless: false,
      mail: { to: 'console' },
      mailFrom: null,
      siteUrl: null,
      rpId: null,
      oauth: { providers: {}, redirectUris: [] },
      returnToOrigins: [],
      autologin: false,
      requireEmailVerification: false,
      ambiguousErrors: true,
      rateLimits: true,
      logLevel: 'info',
      hashConcurrency: undefined,
      trustedProxies: [],
      introspection: true,
      graphiql: true,
    });
  });

  test('production needs nothing but a secret, and shows neither the schema nor GraphiQL', () => {
    const config = configOf({ NODE_ENV: 'production', TOKEN_SECRET: SECRET });
    expect(config).toMatchObject({ introspection: false, graphiql: false, mail: { to: 'nowhere' } });
    const shown = configOf({
      NODE_ENV: 'production',
      TOKEN_SECRET: SECRET,
      INTROSPECTION: '1',
      GRAPHIQL: '1',
    });
    expect(shown).toMatchObject({ introspection: true, graphiql: true });
  });

  test.each<[string, object]>([
    ['sqlite::memory:', { kind: 'memory' }],
    ['sqlite:./data/a.db', { kind: 'sqlite', path: './data/a.db' }],
    ['sqlite:/var/lib/a.db', { kind: 'sqlite', path: '/var/lib/a.db' }],
    ['sqlite:///var/lib/a.db', { kind: 'sqlite', path: '/var/lib/a.db' }],
    ['mongodb://h1:1,h2:2/a', { kind: 'mongodb', url: 'mongodb://h1:1,h2:2/a' }],
    ['mongodb+srv://h/a', { kind: 'mongodb', url: 'mongodb+srv://h/a' }],
    ['postgres://h/a', { kind: 'sql', url: 'postgres://h/a' }],
    ['postgresql:///a?host=/run/postgresql', { kind: 'sql', url: 'postgresql:///a?host=/run/postgresql' }],
    ['mysql://h/a', { kind: 'sql', url: 'mysql://h/a' }],
    ['mariadb://h/a', { kind: 'sql', url: 'mariadb://h/a' }],
  ])('DATABASE_URL=%s', (url, database) => {
    expect(configOf({ DATABASE_URL: url, TOKEN_SECRET: SECRET }).database).toEqual(database);
  });

  const plain = { cluster: false, tls: false, username: undefined, password: undefined, db: 0 };
  test.each<[string, object]>([
    ['redis://h', { ...plain, nodes: [{ host: 'h', port: 6379 }] }],
    ['redis://[::1]:7000/2', { ...plain, nodes: [{ host: '::1', port: 7000 }], db: 2 }],
    [
      'rediss://ada:a%40b@h:1',
      { ...plain, nodes: [{ host: 'h', port: 1 }], tls: true, username: 'ada', password: 'a@b' },
    ],
    [
      'redis://:pw@h1:1,h2:2,h3',
      {
        ...plain,
        nodes: [
          { host: 'h1', port: 1 },
          { host: 'h2', port: 2 },
          { host: 'h3', port: 6379 },
        ],
        cluster: true,
        password: 'pw',
      },
    ],
  ])('SESSIONS_URL=%s', (url, sessions) => {
    expect(configOf({ SESSIONS_URL: url, TOKEN_SECRET: SECRET }).sessions).toEqual(sessions);
  });

  test('ENCRYPTION_KEY is a list, the first key first', () => {
    const keys = [SECRET, `other ${SECRET}`];
    expect(configOf({ ENCRYPTION_KEY: keys.join(', ') }).encryptionKeys).toEqual(keys);
  });

  test('an empty variable is one that is not set', () => {
    expect(configOf({ PORT: '', MAIL_URL: '', TRUSTED_PROXIES: '' })).toEqual(configOf({}));
  });

  test('flags of the same names win over the environment', () => {
    const settings = readSettings({ PORT: '1', HOST: '::1' }, { PORT: '2', STATELESS: true });
    expect(parseConfig(settings)).toMatchObject({ port: 2, host: '::1', stateless: true });
  });

  test('RETURN_TO_ORIGINS is a list of origins', () => {
    const { returnToOrigins } = configOf({
      RETURN_TO_ORIGINS: 'https://app.example.com/, http://LOCALHOST:3000',
    });
    expect(returnToOrigins).toEqual(['https://app.example.com', 'http://localhost:3000']);
    expect(configOf({}).returnToOrigins).toEqual([]);
  });

  test('TRUSTED_PROXIES is a list of addresses and ranges', () => {
    const { trustedProxies } = configOf({ TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8 fd00::/8' });
    expect(trustedProxies).toEqual(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
  });

  const configOf = (environment: Environment) => parseConfig(readSettings(environment, {}));
});

test('--version tells the version, and --help every setting', async () => {
  const [version, help] = await Promise.all([bench.run(['--version']), bench.run(['serve', '--help'])]);
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
  expect(help).toMatchObject({ code: 0, stderr: '' });
  for (const flag of [
    '--port',
    '--database-url',
    '--token-secret',
    '--trusted-proxies',
    '--ambiguous-errors',
  ]) {
    expect(help.stdout).toContain(flag);
  }
  expect((await bench.run(['--help'])).stdout).toContain('serve');
});

test('flags set what variables set', async () => {
  const flags = [
    'serve',
    '--port',
    '0',
    '--database-url',
    'sqlite::memory:',
    '--graphiql',
    '0',
    '--stateless',
  ];
  const { url, output } = await bench.start({ PORT: 'abc' }, flags);
  expect(output()).toContain('in memory');
  expect((await fetch(url, { headers: { accept: 'text/html' } })).headers.get('content-type')).not.toContain(
    'html',
  );
});
