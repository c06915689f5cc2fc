import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog, type LogLevel } from '../../src/cli/log.ts';
import { WORDS } from '../../src/cli/pages/views.ts';
import { describeError, loggedPath } from '../../src/cli/redaction.ts';
import { LINK_PATH } from '../../src/services/magic-link/index.ts';
import { LINK_PATHS } from '../../src/services/password/links.ts';
import { type Program, printed, startProgram } from '../program.ts';
import { ask, Bench, LOG_IN, PASSWORD, SIGN_UP, send, tokensOf } from './child.ts';

const TOKEN = 'abcdefghij-ABCDEFGHIJ_0123456789-abcdefghijk';

describe('request lines', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench.close());

  test('one JSON line for each request, with what was asked for and how it was answered', async () => {
    const { child, url, origin, output } = await bench.start({ DATABASE_URL: 'sqlite::memory:' });
    await ask(url, 'query Chosen { mine: getUser { id } __typename }');
    await ask(url, LOG_IN, { user: { email: 'ada@example.com' }, password: PASSWORD });
    await send(`${origin}/nothing?token=${TOKEN}`, { method: 'DELETE' });
    await printed(child, output, /"path":"\/nothing"/);
    const common = { level: 'info', message: 'request', ip: '127.0.0.1', duration: expect.any(Number) };
    const graphql = { ...common, method: 'POST', path: '/graphql', status: 200 };
    expect(linesOf(output())).toEqual([
      { ...graphql, time: expect.any(String), operation: 'query getUser, __typename' },
      {
        ...graphql,
        time: expect.any(String),
        operation: 'mutation authenticate',
        errors: ['INVALID_CREDENTIALS'],
      },
      { ...common, time: expect.any(String), method: 'DELETE', path: '/nothing', status: 404 },
    ]);
  });

  test('LOG_LEVEL=warn writes none', async () => {
    const { url, output, stop } = await bench.start({ DATABASE_URL: 'sqlite::memory:', LOG_LEVEL: 'warn' });
    await ask(url, '{ getUser { id } }');
    await stop();
    expect(linesOf(output())).toEqual([]);
  });

  test('a forwarded address is believed from trusted proxies only (S12)', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.7' };
    const memory = { DATABASE_URL: 'sqlite::memory:' };
    const [open, trusting] = await Promise.all([
      bench.start(memory),
      bench.start({ ...memory, TRUSTED_PROXIES: '127.0.0.0/8, ::1' }),
    ]);
    for (const { child, url, output, ip } of [
      { ...open, ip: '127.0.0.1' },
      { ...trusting, ip: '203.0.113.7' },
    ]) {
      await ask(url, '{ getUser { id } }', {}, headers);
      await printed(child, output, /"path":"\/graphql"/);
      expect(linesOf(output())[0]).toMatchObject({ ip });
    }
  });

  test('lines cannot be forged', async () => {
    const { child, origin, output } = await bench.start({ DATABASE_URL: 'sqlite::memory:' });
    const agent = { 'user-agent': 'x"} {"level":"error"' };
    await send(`${origin}/a%0d%0aFAKE`, { headers: agent });
    await send(`${origin}/end`);
    await printed(child, output, /"path":"\/end"/);
    expect(linesOf(output()).map(({ path, level }) => [path, level])).toEqual([
      ['/a%0d%0aFAKE', 'info'],
      ['/end', 'info'],
    ]);
  });
});

describe('S46 nothing secret is printed', () => {
  let program: Program;
  beforeEach(async () => {
    program = await startProgram();
  });
  afterEach(() => program.stop());

  test('whatever a password, a token or a link is used for', async () => {
    const { url, origin, output, linkTo } = program;
    const email = 'ada@example.com';
    const password = 'canaryPassword with four words';
    const login = { user: { email }, password };
    const secrets = ['canaryPassword', 'four words', 'canaryLiteral', 'canaryHeader', 'canaryQuery'];

    await ask(url, SIGN_UP, { user: { email, password } });
    const tokens = tokensOf(await ask(url, LOG_IN, login));
    secrets.push(tokens.accessToken, tokens.refreshToken);
    const authorization = `Bearer ${tokens.accessToken}`;
    await ask(url, '{ getUser { id } }', {}, { authorization });
    await ask(url, '{ getUser { id } }', {}, { authorization: 'Bearer canaryHeader' });
    await ask(
      url,
      'mutation ($a: String!, $r: String!) { refreshTokens(accessToken: $a, refreshToken: $r) { sessionId } }',
      {
        a: tokens.accessToken,
        r: tokens.refreshToken,
      },
    );

    // As a bad variable, as a literal, where it does not parse, and where it is no JSON.
    await ask(url, LOG_IN, { ...login, password: { [password]: password } });
    await ask(url, `mutation { verifyEmail(token: canaryLiteral) }`);
    await ask(url, `mutation { verifyEmail(token: "canaryLiteral } }`);
    await ask(url, `query canaryLiteral { canaryLiteral: getUser { canaryLiteral } }`);
    await send(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: password });
    await send(`${url}?query=${encodeURIComponent('{ a(b: "canaryQuery") }')}`);
    await send(`${origin}/health?password=canaryQuery`);

    // Links of mails: looked at, used, used again, and under other paths.
    for (const [page, request] of [
      ['verify-email', 'sendVerificationEmail'],
      ['reset-password', 'sendResetPasswordEmail'],
    ] as const) {
      await ask(url, `mutation { ${request}(email: "${email}") }`);
      const token = await linkTo(email, page);
      secrets.push(token);
      const body = new URLSearchParams({ password, repetition: password }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const paths = [
        `/${page}/${token}`,
        `/accounts/${page}/${token}`,
        `/elsewhere/${token}`,
        `/${page}/${token}/x`,
      ];
      for (const path of paths) {
        await send(origin + path);
        await send(origin + path, { method: 'POST', headers, body });
        await send(origin + path, { method: 'POST', headers, body });
      }
    }
    expect(await program.stop()).toBe(0);
    expect(output()).toContain('"path":"/reset-password"');
    for (const secret of secrets) expect(output()).not.toContain(secret);
    // Nobody foresaw nothing: not one of these is an error of the server.
    expect(output()).not.toContain('"level":"error"');
  });
});

describe('what the log tells of an error', () => {
  test('its name, code and reason, without addresses, tokens and credentials', () => {
    const error = Object.assign(
      new Error(`550 <ada@example.com> ${TOKEN} smtp://ada:hunter2@example.com\nx`),
      {
        code: 'EENVELOPE',
      },
    );
    const { stack, ...told } = describeError(error);
    expect(told).toEqual({ error: 'Error', code: 'EENVELOPE', reason: '550 <…@…> … smtp://…@example.com x' });
    expect(stack?.every((frame) => frame.startsWith('at '))).toBe(true);
    expect(JSON.stringify(stack)).not.toContain('hunter2');
  });

  test('nothing of errors that quote what they could not read', () => {
    let error: unknown;
    try {
      JSON.parse('hunter2');
    } catch (thrown) {
      error = thrown;
    }
    expect(JSON.stringify(describeError(error))).not.toContain('hunter2');
    expect(describeError('hunter2')).toEqual({ error: 'not an Error' });
  });

  test.each([
    [`/verify-email/${TOKEN}`, '/verify-email'],
    [`/a/reset-password/${TOKEN}/b?c=d`, '/a/reset-password'],
    [`/magic-link/1?returnTo=/a`, '/magic-link'],
    [`/x/${TOKEN}`, '/x/…'],
    ['/graphql?query=x', '/graphql'],
    ['/\u0000\u202e\n', '/???'],
    [`/${'a/'.repeat(500)}`, `/${'a/'.repeat(500)}`.slice(0, 200)],
  ])('of the path %j: %j', (url, path) => {
    expect(loggedPath(url)).toBe(path);
  });

  test('whatever link is mailed has a page, and its token is never logged', () => {
    const paths = [...LINK_PATHS, LINK_PATH];
    expect(Object.keys(WORDS).sort()).toEqual(paths.sort());
    for (const path of paths) {
      expect(loggedPath(`/${path}/1`)).toBe(`/${path}`);
      expect(loggedPath(`/accounts/${path}/1/2`)).toBe(`/accounts/${path}`);
    }
  });
});

test.each<[LogLevel, string[]]>([
  ['info', ['request', 'info', 'warn', 'failure']],
  ['warn', ['warn', 'failure']],
  ['error', ['failure']],
])('at a terminal, level %s prints short lines for people', (level, expected) => {
  let written = '';
  const log = createLog({
    level,
    readable: true,
    write: (text) => {
      written += text;
    },
  });
  if (log.requests) {
    log.request({
      method: 'POST',
      path: '/request',
      status: 200,
      duration: 1.5,
      ip: null,
      operation: 'query a',
    });
  }
  log.info('info');
  log.warn('warn');
  log.failure(new TypeError('failure'), 'somewhere');
  log.flush();
  const lines = written.trimEnd().split('\n');
  expect(lines).toHaveLength(expected.length);
  for (const [index, word] of expected.entries()) expect(lines[index]).toContain(word);
  expect(written).not.toContain('{');
});

function linesOf(output: string): Record<string, unknown>[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{"'));
  return lines.map((line) => JSON.parse(line)).filter(({ message }) => message === 'request');
}
