import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, ask, Bench, LOG_IN, post } from './child.ts';

const bench = new Bench();
let url: string;

beforeAll(async () => {
  ({ url } = await bench.start({ DATABASE_URL: 'sqlite::memory:' }));
});
afterAll(() => bench.close());

describe('S45 nothing is echoed', () => {
  test.each([
    ['an unquoted password', 'password: hunter2'],
    ['an unquoted password of two words', 'password: hunter2 horse'],
    ['a password that is a number', 'password: 4711hunter2'],
    ['a password in an object', 'password: { hunter2: 1 }'],
    ['a password in a list', 'password: ["hunter2"]'],
    ['a string that is not closed', 'password: "hunter2'],
    ['a bad escape', 'password: "hunter2\\q"'],
    ['an unknown field', 'hunter2: "x"'],
    ['a field twice', 'password: "hunter2", password: "hunter2"'],
  ])('%s', async (_, field) => {
    const query = `mutation { authenticate(serviceName: "password", params: { user: { email: "a@b.example" }, ${field} }) { sessionId } }`;
    const { text, code } = await post(url, JSON.stringify({ query }));
    expect(text).not.toMatch(/hunter2|4711|horse/);
    expect(code).toMatch(/^GRAPHQL_(PARSE|VALIDATION)_FAILED$/);
    expect((JSON.parse(text) as Answer).errors?.[0]?.locations?.length).toBeGreaterThan(0);
  });

  test('a number where a string belongs', async () => {
    const { text, code } = await post(url, '{"query":"mutation{verifyEmail(token:47114711)}"}');
    expect(text).not.toContain('4711');
    expect(code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test.each([
    { user: { email: 'ada@example.com' }, password: { hunter2: 1 } },
    { user: { email: 'ada@example.com' }, password: ['hunter2'] },
    { user: { hunter2: 'x' }, password: 'x' },
    { user: 'hunter2', password: 'x' },
    { user: {}, password: null },
    {},
  ])('the variables %o', async (variables) => {
    const { errors, status } = await ask(url, LOG_IN, variables, {
      accept: 'application/graphql-response+json',
    });
    expect(JSON.stringify(errors)).not.toContain('hunter2');
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors?.[0]?.message).toMatch(/"\$(user|password)"/);
    expect(status).toBe(400);
  });

  test('a variable that is null where a default was meant', async () => {
    const query = 'mutation ($token: String = "x") { verifyEmail(token: $token) }';
    const { errors } = await ask(url, query, { token: null });
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });

  test('a syntax error tells its position', async () => {
    const { errors } = await ask(url, '{\n  getUser { id }}}');
    expect(errors).toEqual([
      {
        message: 'Syntax error at line 2, column 18.',
        locations: [{ line: 2, column: 18 }],
        extensions: { code: 'GRAPHQL_PARSE_FAILED' },
      },
    ]);
  });
});
