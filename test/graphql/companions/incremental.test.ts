// @defer and @stream, which graphql 17 executes by itself and Yoga by a plugin.
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import * as graphql from 'graphql';
import { parse, versionInfo } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { CANARY, createCompanions } from './gateway.ts';

/** Each with the codes that the same document without the directive is refused with. */
const DOCUMENTS = [
  { source: '{ hello ... @defer { secret } }', refusals: 1, open: 'world' },
  {
    source: '{ hello ...A @defer } fragment A on Query { secret vaults { gold } }',
    refusals: 3,
    open: 'world',
  },
  {
    source: '{ hello public { name ... @defer(label: "owner") { owner } } }',
    refusals: 1,
    open: 'everybody’s',
  },
  { source: '{ hello treasures @stream(initialCount: 0) }', refusals: 1, open: 'world' },
  { source: '{ hello vaults @stream(initialCount: 1) { gold } }', refusals: 2, open: 'world' },
  { source: '{ hello vaults @stream(initialCount: 0) { ... @defer { gold } } }', refusals: 2, open: 'world' },
];
const VALUES = new RegExp(`${CANARY}|100[12]`);
const refusalsIn = (text: string) => text.match(/UNAUTHENTICATED/g)?.length ?? 0;

describe('S51 on Yoga', () => {
  const start = () => createCompanions({ plugins: (_, ours) => [useDeferStream() as Plugin, ours] });
  const accepts = ['multipart/mixed', 'text/event-stream'];
  const cases = DOCUMENTS.flatMap((document) => accepts.map((accept) => ({ ...document, accept })));

  test.each(cases)(
    '$source is refused as it is without the directive, as $accept',
    async ({ source, refusals, open, accept }) => {
      const { post, login } = await start();
      const stranger = await (await post({ query: source }, null, { accept })).text();
      expect(stranger).not.toMatch(VALUES);
      expect(refusalsIn(stranger)).toBe(refusals);
      expect(stranger).toContain(open);
      const { accessToken } = await login('ada@example.com');
      const user = await (await post({ query: source }, accessToken, { accept })).text();
      expect(user).toMatch(VALUES);
      expect(user).not.toContain('UNAUTHENTICATED');
      // It came in parts: otherwise this shows nothing.
      expect(user.match(/"hasNext"/g)?.length).toBeGreaterThan(1);
    },
  );
});

// graphql 16 has no incremental execution.
describe.skipIf(versionInfo.major < 17)('S51 in graphql itself', () => {
  const { experimentalExecuteIncrementally: execute } = graphql as unknown as {
    experimentalExecuteIncrementally(args: object): Promise<Incremental> | Incremental;
  };
  interface Incremental {
    initialResult?: unknown;
    subsequentResults?: AsyncIterable<unknown>;
  }
  const run = async (source: string, user: object | null) => {
    const { schema } = await createCompanions({ incremental: true });
    const contextValue = { user, userId: user && 'ada', authError: null };
    const result = await execute({ schema, document: parse(source), contextValue });
    // Where nothing is left to send, all came at once.
    const parts: unknown[] = [result.initialResult ?? result];
    for await (const part of result.subsequentResults ?? []) parts.push(part);
    return parts;
  };

  test.each(DOCUMENTS)(
    '$source is refused as it is without the directive',
    async ({ source, refusals, open }) => {
      const stranger = JSON.stringify(await run(source, null));
      expect(stranger).not.toMatch(VALUES);
      expect(refusalsIn(stranger)).toBe(refusals);
      expect(stranger).toContain(open);
      const user = await run(source, { id: 'ada' });
      expect(JSON.stringify(user)).toMatch(VALUES);
      expect(user.length).toBeGreaterThan(1);
    },
  );
});
