import { costLimitPlugin } from '@escape.tech/graphql-armor-cost-limit';
import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import type { Plugin } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { PASSWORD } from '../../accounts.ts';
import { codeIn } from '../gateway.ts';
import { CANARY, createCompanions } from './gateway.ts';

const start = () =>
  createCompanions({
    plugins: (_, ours) => [
      maxDepthPlugin({ n: 6 }) as Plugin,
      maxAliasesPlugin({ n: 5 }) as Plugin,
      costLimitPlugin({ maxCost: 500 }) as Plugin,
      ours,
    ],
  });

const wrong = (alias: string) =>
  `${alias}: authenticate(serviceName: "password", params: { user: { email: "ada@example.com" }, password: "no password of hers" }) { sessionId }`;

describe('the limits of graphql-armor', () => {
  test('let every operation of ours through, as a client writes it', async () => {
    const { ask, login } = await start();
    const { accessToken, refreshToken } = await login('ada@example.com');
    const tokens =
      'sessionId tokens { accessToken refreshToken } user { id username emails { address verified } }';
    const operations: [string, string | null][] = [
      ['{ getUser { id username emails { address verified } } }', accessToken],
      [
        `mutation { createUser(user: { email: "new@example.com", password: "${PASSWORD}" }) { userId loginResult { ${tokens} } } }`,
        null,
      ],
      [
        `mutation { authenticate(serviceName: "password", params: { user: { email: "ada@example.com" }, password: "${PASSWORD}" }) { ${tokens} } }`,
        null,
      ],
      [
        `mutation { refreshTokens(accessToken: "${accessToken}", refreshToken: "${refreshToken}") { ${tokens} } }`,
        null,
      ],
      ['{ secret }', accessToken],
      ['mutation { logout }', accessToken],
    ];
    for (const [query, token] of operations) expect((await ask(query, token)).errors).toBeUndefined();
  });

  test('refuse before a password is checked: what they refuse spends no guess', async () => {
    const { ask } = await start();
    const aliased = `mutation { ${Array.from({ length: 10 }, (_, n) => wrong(`a${n}`)).join(' ')} }`;
    for (let attempt = 0; attempt < 3; attempt++) {
      const answer = await ask(aliased);
      expect(answer.errors).toHaveLength(1);
      expect(answer.data).toBeUndefined();
    }
    expect(codeIn(await ask(`mutation { ${wrong('a')} }`))).toBe('INVALID_CREDENTIALS');
  });

  test('echo nothing of a deep document that holds a password', async () => {
    const { ask } = await start();
    const deep = `{ public { ...A } } fragment A on Public { name @include(if: true) } query B { getUser { emails { address } } __schema { types { fields { type { ofType { ofType { name } } } } } } authenticate(password: "${CANARY}") }`;
    const answer = await ask(deep, null, { operationName: 'B' });
    expect(answer.data).toBeUndefined();
    expect(JSON.stringify(answer)).not.toContain(CANARY);
  });

  test('S11 and the budget holds below them: aliases within the limit are guesses each', async () => {
    const { ask } = await start();
    const five = `mutation { ${Array.from({ length: 5 }, (_, n) => wrong(`a${n}`)).join(' ')} }`;
    const codes = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      const answer = await ask(five);
      codes.push(...(answer.errors ?? []).map(({ extensions }) => extensions?.code));
    }
    expect(codes.filter((code) => code === 'INVALID_CREDENTIALS').length).toBeLessThanOrEqual(9);
    expect(codes).toContain('RATE_LIMITED');
  });
});
