import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../src/core/options.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/core/time.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import { ERROR_MESSAGES } from '../../src/errors.ts';
import {
  AccountsError,
  type AccountsErrorCode,
  AccountsServer,
  type AccountsServerOptions,
  type PasswordOptions,
  password,
} from '../../src/index.ts';
import { SECRET } from '../accounts.ts';

/** Every option there is: the compiler names the one that is missing here. */
const SERVER_OPTIONS = Object.keys({
  db: 1,
  tokenSecret: 1,
  tokenVerificationKeys: 1,
  tokenConfigs: 1,
  sessionLifetime: 1,
  impersonationLifetime: 1,
  refreshGrace: 1,
  encryptionKey: 1,
  recentLogin: 1,
  rateLimits: 1,
  useStatelessSession: 1,
  micro: 1,
  ambiguousErrorMessages: 1,
  enableAutologin: 1,
  createJwtPayload: 1,
  userObjectSanitizer: 1,
  resumeSessionValidator: 1,
  impersonationAuthorize: 1,
  siteUrl: 1,
  sendMail: 1,
  emailTemplates: 1,
  prepareMail: 1,
  storeTimeout: 1,
  operationTimeout: 1,
  now: 1,
  onError: 1,
  tracer: 1,
} satisfies Record<keyof AccountsServerOptions, 1>);

const PASSWORD_OPTIONS = Object.keys({
  requireEmailVerification: 1,
  sendVerificationEmailAfterSignup: 1,
  verifyEmailTokenExpiration: 1,
  passwordResetTokenExpiration: 1,
  passwordEnrollTokenExpiration: 1,
  notifyUserAfterPasswordChanged: 1,
  returnTokensAfterResetPassword: 1,
  invalidateAllSessionsAfterPasswordReset: 1,
  invalidateAllSessionsAfterPasswordChanged: 1,
  removeAllResetPasswordTokensAfterPasswordChanged: 1,
  validateNewUser: 1,
  validateEmail: 1,
  validatePassword: 1,
  validateUsername: 1,
  minLength: 1,
  breachCheck: 1,
  hashConcurrency: 1,
  hashQueueLimit: 1,
  argon2: 1,
  hashPassword: 1,
  verifyPassword: 1,
  maxEmails: 1,
} satisfies Record<keyof PasswordOptions, 1>);

/** AccountsServerOptions of `@accounts/server` 0.33.1 and of the 1.0 alpha. */
const OF_ACCOUNTS_JS = [
  ...['ambiguousErrorMessages', 'db', 'tokenSecret', 'tokenConfigs', 'emailTemplates', 'userObjectSanitizer'],
  ...[
    'impersonationAuthorize',
    'resumeSessionValidator',
    'siteUrl',
    'prepareMail',
    'sendMail',
    'tokenCreator',
  ],
  ...[
    'createNewSessionTokenOnRefresh',
    'createJwtPayload',
    'enableAutologin',
    'useInternalUserObjectSanitizer',
  ],
  ...['useStatelessSession', 'micro'],
];

/** AccountsPasswordOptions of `@accounts/password` 0.32.2 and of the 1.0 alpha. */
const OF_ACCOUNTS_JS_PASSWORD = [
  ...['twoFactor', 'requireEmailVerification', 'verifyEmailTokenExpiration', 'passwordResetTokenExpiration'],
  ...['passwordEnrollTokenExpiration', 'errors', 'notifyUserAfterPasswordChanged'],
  ...['returnTokensAfterResetPassword', 'invalidateAllSessionsAfterPasswordReset'],
  ...['invalidateAllSessionsAfterPasswordChanged', 'removeAllResetPasswordTokensAfterPasswordChanged'],
  ...['sendVerificationEmailAfterSignup', 'validateNewUser', 'validateEmail', 'validatePassword'],
  ...['validateUsername', 'hashPassword', 'verifyPassword'],
];

const REFUSED = ['tokenCreator', 'createNewSessionTokenOnRefresh', 'useInternalUserObjectSanitizer'];
const REFUSED_PASSWORD = ['twoFactor', 'errors'];

/** Makes a server with options of any kind. */
const make = (options: Record<string, unknown>, passwordOptions: Record<string, unknown> = {}) =>
  new AccountsServer({ db: memoryDatabase(), tokenSecret: SECRET, ...options } as AccountsServerOptions, {
    password: password(passwordOptions as PasswordOptions),
  });

const making = (options: Record<string, unknown>) => () => make(options);

describe('the options of the accounts server', () => {
  test('are those of accounts-js: each is kept, or refused with the reason', () => {
    for (const name of OF_ACCOUNTS_JS) {
      if (REFUSED.includes(name)) {
        expect(making({ [name]: true })).toThrow(new RegExp(`option ${name} is refused: \\w+`));
        expect(making({ [name]: undefined })).toThrow(TypeError);
      } else expect(SERVER_OPTIONS).toContain(name);
    }
  });

  test('may each be undefined, as `process.env.X` and a conditional are', () => {
    for (const name of SERVER_OPTIONS) {
      const needed = ['db', 'tokenSecret'].includes(name);
      if (needed) expect(making({ [name]: undefined })).toThrow(TypeError);
      else expect(making({ [name]: undefined })).not.toThrow();
    }
  });

  test('throw a TypeError that names what is unknown', () => {
    for (const name of [
      'ambigousErrorMessages',
      'ambiguousErrormessages',
      'jwtSecret',
      'constructor',
      'toString',
    ]) {
      expect(making({ [name]: true })).toThrow(new TypeError(`AccountsServer: there is no option ${name}`));
    }
    const parsed = JSON.parse('{"__proto__":1}') as Record<string, unknown>;
    const withPrototype = Object.defineProperty({ tokenSecret: SECRET }, '__proto__', {
      enumerable: true,
      value: parsed,
    });
    expect(() => new AccountsServer(withPrototype as AccountsServerOptions)).toThrow(/no option __proto__/);
  });

  test('are an object', () => {
    for (const options of [undefined, null, 'x', 7, []]) {
      expect(() => new AccountsServer(options as unknown as AccountsServerOptions)).toThrow(TypeError);
    }
  });

  test('have safe defaults', () => {
    const resolved = resolveOptions({ tokenSecret: SECRET });
    expect(resolved).toMatchObject({
      access: { lifetime: 15 * MINUTE, issuer: 'graphql-accounts', audience: 'graphql-accounts' },
      refresh: { lifetime: 7 * DAY, issuer: 'graphql-accounts', audience: 'graphql-accounts' },
      sessionLifetime: 30 * DAY,
      impersonationLifetime: HOUR,
      refreshGrace: MINUTE,
      storeTimeout: 6 * SECOND,
      operationTimeout: 9.5 * SECOND,
      stateless: false,
      micro: false,
      ambiguousErrorMessages: true,
      enableAutologin: false,
      siteUrl: 'http://localhost:3000',
      impersonationAuthorize: undefined,
    });
  });

  const flags = ['useStatelessSession', 'micro', 'ambiguousErrorMessages', 'enableAutologin'];
  for (const name of flags) {
    test(`${name} is true or false and nothing like it`, () => {
      for (const wrong of [null, 0, 1, '', 'true', 'false', {}, []]) {
        expect(making({ [name]: wrong })).toThrow(new TypeError(`${name} must be true or false`));
      }
      expect(making({ ambiguousErrorMessages: false, [name]: true })).not.toThrow();
    });
  }

  const callbacks = [
    ...['createJwtPayload', 'userObjectSanitizer', 'resumeSessionValidator', 'impersonationAuthorize'],
    ...['sendMail', 'prepareMail', 'now', 'onError'],
  ];
  for (const name of callbacks) {
    test(`${name} is a function`, () => {
      for (const wrong of [null, false, true, 'x', {}, [], 7]) {
        expect(making({ [name]: wrong })).toThrow(new TypeError(`${name} must be a function`));
      }
    });
  }

  const durations = [
    'sessionLifetime',
    'impersonationLifetime',
    'refreshGrace',
    'storeTimeout',
    'operationTimeout',
  ];
  for (const name of durations) {
    test(`${name} is a number of milliseconds`, () => {
      const wrong = [
        Number.NaN,
        Infinity,
        -Infinity,
        -1,
        0.5,
        1e20,
        '15m',
        '1000',
        null,
        {},
        true,
        5n,
        new Date(),
      ];
      for (const value of wrong) expect(making({ [name]: value })).toThrow(TypeError);
      expect(making({ [name]: 1000.5 })).not.toThrow();
      if (name !== 'refreshGrace') expect(making({ [name]: 0 })).toThrow(TypeError);
    });
  }

  test('refreshGrace may be 0', () => {
    expect(resolveOptions({ tokenSecret: SECRET, refreshGrace: 0 }).refreshGrace).toBe(0);
  });

  test('storeTimeout is one that a timer can keep', () => {
    expect(making({ storeTimeout: 2 ** 31 - 1 })).not.toThrow();
    expect(making({ storeTimeout: 2 ** 31 })).toThrow(TypeError);
  });

  for (const kind of ['accessToken', 'refreshToken'] as const) {
    describe(`tokenConfigs.${kind}`, () => {
      const configured = (config: unknown) => making({ tokenConfigs: { [kind]: config } });

      test('expiresIn is seconds or a string with a unit, as jsonwebtoken reads it', () => {
        const lifetime = (expiresIn: string | number): number =>
          resolveOptions({ tokenSecret: SECRET, tokenConfigs: { [kind]: { expiresIn } } })[
            kind === 'accessToken' ? 'access' : 'refresh'
          ].lifetime;
        expect(lifetime(900)).toBe(15 * MINUTE);
        expect(lifetime('15m')).toBe(15 * MINUTE);
        expect(lifetime('1 hour')).toBe(HOUR);
        expect(lifetime('1.5h')).toBe(90 * MINUTE);
        expect(lifetime('7d')).toBe(7 * DAY);
        expect(lifetime(1)).toBe(SECOND);
      });

      test('expiresIn is refused when it means nothing, less than a second, or a century', () => {
        const wrong = [
          ...[
            Number.NaN,
            Infinity,
            -1,
            0,
            0.5,
            1e15,
            '',
            ' ',
            'garbage',
            '15 minuten',
            '-1h',
            '0s',
            '10ms',
            '120',
          ],
          ...['1000 years', '1'.repeat(200), null, true, {}, [], ['15m']],
        ];
        for (const expiresIn of wrong) expect(configured({ expiresIn })).toThrow(TypeError);
      });

      test('issuer and audience are texts', () => {
        for (const issuer of ['', null, 7, {}, ['x']]) expect(configured({ issuer })).toThrow(TypeError);
        for (const audience of ['', null, 7, {}, [], [''], ['x', 7], [['x']]]) {
          expect(configured({ audience })).toThrow(TypeError);
        }
        expect(configured({ issuer: 'https://x.example', audience: ['a', 'b'] })).not.toThrow();
      });

      test('has no other setting of jsonwebtoken: the key decides, not the token', () => {
        for (const name of [
          ...['algorithm', 'keyid', 'notBefore', 'subject', 'jwtid', 'noTimestamp', 'header', 'encoding'],
          ...['mutatePayload', 'allowInsecureKeySizes', 'allowInvalidAsymmetricKeyTypes', 'expiresin'],
        ]) {
          expect(configured({ [name]: 'x' })).toThrow(new RegExp(`no option ${name}`));
        }
      });

      test('is an object', () => {
        for (const wrong of [null, 7, '15m', true, []]) expect(configured(wrong)).toThrow(TypeError);
      });
    });
  }

  test('tokenConfigs is an object of two', () => {
    for (const wrong of [null, 7, '15m', [], { access: {} }, { idToken: {} }]) {
      expect(making({ tokenConfigs: wrong })).toThrow(TypeError);
    }
  });

  test('S30 siteUrl is an http or https URL, and keeps its path without the last slash', () => {
    const siteUrl = (value: string): string =>
      resolveOptions({ tokenSecret: SECRET, siteUrl: value }).siteUrl;
    expect(siteUrl('http://localhost:3000')).toBe('http://localhost:3000');
    expect(siteUrl('https://x.example/')).toBe('https://x.example');
    expect(siteUrl('https://x.example/app/')).toBe('https://x.example/app');
    expect(siteUrl('https://x.example//')).toBe('https://x.example');
    expect(siteUrl('https://x.example:443/a/b')).toBe('https://x.example/a/b');
    expect(siteUrl('https://bücher.example')).toBe('https://xn--bcher-kva.example');
    expect(siteUrl('https://x.example/?')).toBe('https://x.example');
    expect(siteUrl('https://x.example/app#')).toBe('https://x.example/app');
    const wrong = [
      ...[
        '',
        'x.example',
        '//x.example',
        '/app',
        'ftp://x.example',
        'javascript:alert(1)',
        'data:,x',
        'file:///x',
      ],
      ...[
        'https://x.example?a=1',
        'https://x.example/#a',
        'https://user@x.example',
        'https://:secret@x.example',
      ],
      ...['https://', 'http:', null, 7, {}, new URL('https://x.example')],
    ];
    for (const value of wrong) expect(making({ siteUrl: value })).toThrow(TypeError);
  });

  test('db is a database with its four stores', () => {
    const db = memoryDatabase();
    const accountsJsAdapter = { findUserById: () => null, createSession: () => null };
    const wrong = [undefined, null, 'sqlite:./x', true, {}, accountsJsAdapter, () => db];
    for (const value of wrong) expect(making({ db: value })).toThrow(TypeError);
    for (const store of ['users', 'identities', 'sessions', 'oneTimeTokens']) {
      expect(making({ db: { ...db, [store]: undefined } })).toThrow(new RegExp(store));
    }
  });

  test('enableAutologin cannot hide whether an address is taken, so not with ambiguous errors', () => {
    expect(making({ enableAutologin: true })).toThrow(/ambiguousErrorMessages/);
    expect(making({ enableAutologin: true, ambiguousErrorMessages: true })).toThrow(TypeError);
    expect(making({ enableAutologin: true, ambiguousErrorMessages: false })).not.toThrow();
    const unverified = () =>
      make({ enableAutologin: true, ambiguousErrorMessages: false }, { requireEmailVerification: true });
    expect(unverified).toThrow(TypeError);
  });
});

describe('the options of password()', () => {
  test('are those of accounts-js: each is kept, or refused with the reason', () => {
    for (const name of OF_ACCOUNTS_JS_PASSWORD) {
      if (REFUSED_PASSWORD.includes(name)) {
        expect(() => make({}, { [name]: {} })).toThrow(new RegExp(`option ${name} is refused: \\w+`));
      } else expect(PASSWORD_OPTIONS).toContain(name);
    }
  });

  test('may each be undefined, and throw when they are unknown', () => {
    for (const name of PASSWORD_OPTIONS) expect(() => make({}, { [name]: undefined })).not.toThrow();
    for (const name of ['minlength', 'passwordHashAlgorithm', 'toString']) {
      expect(() => make({}, { [name]: 1 })).toThrow(new TypeError(`password: there is no option ${name}`));
    }
  });
});

describe('the documentation', () => {
  const read = (file: string): string => readFileSync(join(import.meta.dirname, '../../docs', file), 'utf8');
  /** The rows of a Markdown table, by their first cell. */
  const rows = (text: string): Map<string, string[]> =>
    new Map(
      [...text.matchAll(/^\| `(\w+)` \|(.+)\|$/gm)].map(([, name = '', rest = '']) => [
        ...([name, rest.split(' | ').map((cell) => cell.trim())] as const),
      ]),
    );
  const [, server = '', passwords = ''] = read('options.md').split(/^## /m);

  for (const [title, table, names, refused] of [
    ['AccountsServer', rows(server), SERVER_OPTIONS, REFUSED],
    ['password()', rows(passwords), PASSWORD_OPTIONS, REFUSED_PASSWORD],
  ] as const) {
    test(`has every option of ${title}, and no other`, () => {
      expect([...table.keys()].sort()).toEqual([...names, ...refused].sort());
      for (const [name, cells] of table) {
        const verdict = cells.at(-1);
        if (refused.includes(name))
          expect([name, verdict]).toEqual([name, expect.stringMatching(/^refused: \w/)]);
        else
          expect([name, verdict]).toEqual([name, expect.stringMatching(/^(kept(: .+)?|changed: .+|new)$/)]);
      }
    });
  }

  test('calls new what accounts-js has not, and nothing else', () => {
    const known = new Set([...OF_ACCOUNTS_JS, ...OF_ACCOUNTS_JS_PASSWORD]);
    for (const [name, cells] of [...rows(server), ...rows(passwords)]) {
      expect([name, cells.at(-1) === 'new']).toEqual([name, !known.has(name)]);
    }
  });

  test('has every error code, and no other, and says of each whether to retry', () => {
    const table = rows(read('errors.md'));
    expect([...table.keys()].sort()).toEqual(Object.keys(ERROR_MESSAGES).sort());
    for (const [code, cells] of table) {
      const { retryable } = new AccountsError(code as AccountsErrorCode);
      expect([code, cells]).toEqual([code, expect.objectContaining({ length: 4 })]);
      expect([code, cells[2]]).toEqual([code, retryable ? 'yes' : 'no']);
    }
  });
});

describe('services', () => {
  const options = { db: memoryDatabase(), tokenSecret: SECRET };
  test.each([
    ['the function instead of what it returns', { password }],
    ['nothing', { password: undefined }],
    ['an empty object', { password: {} }],
    ['a list', [password()]],
    ['a service alone', password()],
  ])('refuse %s with a word on what to give', (_, services) => {
    expect(() => new AccountsServer(options, services as never)).toThrow(TypeError);
    expect(() => new AccountsServer(options, services as never)).toThrow(/password\(\)|\(\)/);
  });
});
