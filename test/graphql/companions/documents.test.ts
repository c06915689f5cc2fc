// Companions that change how a document is found, read, checked and run.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { useParserCache } from '@envelop/parser-cache';
import { useValidationCache } from '@envelop/validation-cache';
import { usePersistedOperations } from '@graphql-yoga/plugin-persisted-operations';
import { useResponseCache } from '@graphql-yoga/plugin-response-cache';
import { versionInfo } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { beforeAll, describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { countQueries, PASSWORD } from '../../accounts.ts';
import { type Answer, codeIn } from '../gateway.ts';
import { type DocumentsStory, tellDocumentsStory } from './fixtures/documents-story.ts';
import { CANARY, createCompanions } from './gateway.ts';

const caches = () => [useParserCache(), useValidationCache()] as unknown[] as Plugin[];

/** In a process of its own: graphql-jit requires `graphql`, and would get another copy of it than these tests have. */
async function toldBy(script: string, ...args: string[]): Promise<unknown> {
  const file = join(import.meta.dirname, 'fixtures', script);
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...args]);
  return JSON.parse(stdout);
}

const withJit = (plugins: 'alone' | 'cached') => toldBy('tell-jit.ts', plugins) as Promise<DocumentsStory>;

const logIn = (typed: string, address = 'ada@example.com') =>
  `mutation { authenticate(serviceName: "password", params: { user: { email: "${address}" }, password: "${typed}" }) { tokens { accessToken } user { id emails { address } } } }`;

describe.each(
  [
    { what: 'nothing', own: false, tell: () => tellDocumentsStory([]) },
    { what: 'parser and validation cache', own: false, tell: () => tellDocumentsStory(caches()) },
    { what: 'graphql-jit', own: true, tell: () => withJit('alone') },
    { what: 'all three', own: true, tell: () => withJit('cached') },
    // A process of its own has the graphql of the checkout.
  ].filter(({ own }) => !own || versionInfo.major === 17),
)('S51 with $what', ({ tell }) => {
  let story: DocumentsStory;
  beforeAll(async () => {
    story = await tell();
  });

  test('the same document is judged for each caller', () => {
    const { callers, ids } = story;
    expect(callers.map(({ data }) => data?.whoAmI ?? null)).toEqual([
      ids.ada,
      null,
      ids.grace,
      null,
      ids.ada,
    ]);
    expect(callers.map(codeIn)).toEqual([null, 'UNAUTHENTICATED', null, 'UNAUTHENTICATED', null]);
    expect(JSON.stringify([callers[1], callers[3]])).not.toContain(CANARY);
  });

  test('guards hold on objects, below fragments and under aliases', () => {
    const { guarded } = story;
    expect(guarded.errors?.map(({ extensions }) => extensions?.code)).toEqual(
      Array(5).fill('UNAUTHENTICATED'),
    );
    expect(JSON.stringify(guarded)).not.toMatch(new RegExp(`${CANARY}|100[12]`));
    expect(guarded.data?.public).toEqual({ name: 'everybody’s', b: null });
  });

  test('S45 codes get through, and texts of drivers do not', () => {
    expect(codeIn(story.refused)).toBe('LOGIN_REFUSED');
    expect(codeIn(story.operationOfOurs)).toBe('UNAUTHENTICATED');
    expect(codeIn(story.crash)).toBe('INTERNAL_SERVER_ERROR');
    expect(JSON.stringify(story.crash)).not.toContain(CANARY);
  });

  test('a fresh proof is asked for each time', () => {
    expect(story.fresh.data?.fresh).toBe(CANARY);
    expect(codeIn(story.stale)).toBe('RECENT_LOGIN_REQUIRED');
  });

  test('a login is each time that of its variables, and shows an address to its owner', () => {
    const [ada, grace, nobody] = story.logins.map((answer) => JSON.stringify(answer));
    expect(ada).toContain('ada@example.com');
    expect(grace).toContain('grace@example.com');
    expect(nobody).toContain('INVALID_CREDENTIALS');
    expect(nobody).not.toContain('@example.com');
  });

  test('a subscription is refused before its source starts', () => {
    const { streamOfStranger, startedForStranger, streamOfUser, started } = story.streams;
    expect(streamOfStranger).toContain('UNAUTHENTICATED');
    expect(streamOfStranger).not.toContain(CANARY);
    expect(startedForStranger).toEqual([]);
    expect(streamOfUser).toContain(CANARY);
    expect(started).toEqual(['ticks']);
  });
});

test.skipIf(versionInfo.major < 17)(
  'S51 graphql-jit, kept to one schema, knows no field that a swapped schema has guarded since',
  async () => {
    const open = { data: { diary: 'the diary' } };
    expect(await toldBy('tell-jit-swap.ts')).toMatchObject({
      docs: { before: open, after: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] } },
      // The trap: it compiles a document once, whatever the schema is by then.
      alone: { before: open, after: open },
    });
  },
);

describe('S51 persisted operations', () => {
  const STORE: { [id: string]: string } = {
    secret: '{ secret }',
    who: '{ whoAmI }',
    me: '{ getUser { id } }',
    invalid: '{ secret ... on Query { owner } }',
    login: logIn(PASSWORD),
  };
  const persisted = (options: object = {}) =>
    usePersistedOperations({ getPersistedOperation: (id) => STORE[id] ?? null, ...options }) as Plugin;
  const by = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } });

  test.each([{ skipDocumentValidation: false }, { skipDocumentValidation: true }])(
    'are guarded as what is written out, with %o',
    async (options) => {
      const { post, login } = await createCompanions({
        plugins: (_, ours) => [persisted(options), ours],
      });
      const ask = async (body: object, token?: string) => (await (await post(body, token)).json()) as Answer;
      expect(codeIn(await ask(by('secret')))).toBe('UNAUTHENTICATED');
      const { accessToken, id } = await login('ada@example.com');
      expect((await ask(by('secret'), accessToken)).data?.secret).toContain(CANARY);
      expect((await ask(by('me'), accessToken)).data?.getUser).toEqual({ id });
      expect(codeIn(await ask(by('secret'), 'bad'))).toBe('UNAUTHENTICATED');
      expect((await ask({ query: '{ secret }' }, accessToken)).data).toBeUndefined();
      const answer = await post(by('login'));
      expect(answer.headers.get('cache-control')).toBe('no-store');
    },
  );

  test('stand before the response cache: then each operation has its own answers', async () => {
    const cache = () =>
      useResponseCache({ session: (request) => request.headers.get('authorization') }) as Plugin;
    const start = (plugins: Plugin[]) => createCompanions({ plugins: (_, ours) => [...plugins, ours] });
    const answers = async (plugins: Plugin[]) => {
      const { post, login } = await start(plugins);
      const { accessToken } = await login('ada@example.com');
      await (await post(by('secret'), accessToken)).json();
      return (await (await post(by('who'), accessToken)).json()) as Answer;
    };
    expect(Object.keys((await answers([persisted(), cache()])).data ?? {})).toEqual(['whoAmI']);
    // The trap: to a cache that stands before them, all are the same empty text.
    expect(Object.keys((await answers([cache(), persisted()])).data ?? {})).toEqual(['secret']);
  });
});

describe('batching', () => {
  test('S51 looks up once, guards each operation, and keeps logins of two users apart', async () => {
    const { counted, queries } = countQueries(memoryDatabase());
    const { post, login } = await createCompanions({
      options: { db: counted },
      plugins: (_, ours) => [...caches(), ours],
      yoga: { batching: true },
    });
    const { accessToken, id } = await login('ada@example.com');
    queries.length = 0;
    const guarded = ['{ secret }', '{ whoAmI }', '{ vaults { gold } }'].map((query) => ({ query }));
    const answers = (await (await post(guarded, accessToken)).json()) as Answer[];
    expect(answers.map(codeIn)).toEqual([null, null, null]);
    expect(answers[1]?.data?.whoAmI).toBe(id);
    expect(queries).toEqual(['sessions.findMany', 'users.findMany']);
    const strangers = (await (await post(guarded)).json()) as Answer[];
    expect(strangers.map(codeIn)).toEqual(['UNAUTHENTICATED', null, 'UNAUTHENTICATED']);
    const batch = [logIn(PASSWORD), '{ secret getUser { id } }', logIn(PASSWORD, 'grace@example.com')];
    const [ada, stranger, grace] = (await (await post(batch.map((query) => ({ query })))).json()) as Answer[];
    const addressOf = (answer?: Answer) =>
      JSON.stringify(answer?.data?.authenticate).match(/\w+@example\.com/)?.[0];
    expect([addressOf(ada), addressOf(grace)]).toEqual(['ada@example.com', 'grace@example.com']);
    // Who logs in beside it is not who asks.
    expect(stranger).toMatchObject({ data: { secret: null, getUser: null } });
  });

  test('S11 spends one budget: the tenth wrong guess of a batch is refused, and the right one after it', async () => {
    const { post } = await createCompanions({ yoga: { batching: { limit: 20 } } });
    const batch = [...Array(12).fill('a wrong password'), PASSWORD].map((typed) => ({ query: logIn(typed) }));
    const answers = (await (await post(batch)).json()) as Answer[];
    const codes = answers.map(codeIn);
    expect(codes.filter((code) => code === 'INVALID_CREDENTIALS').length).toBeLessThanOrEqual(9);
    expect(codes.filter((code) => code === 'RATE_LIMITED').length).toBeGreaterThanOrEqual(3);
    const after = await (await post({ query: logIn(PASSWORD) })).json();
    expect(codeIn(after as Answer)).toBe('RATE_LIMITED');
  });

  test('keeps a batch that holds tokens out of caches', async () => {
    const { post } = await createCompanions({ yoga: { batching: true } });
    const answer = await post([{ query: '{ hello }' }, { query: logIn(PASSWORD) }]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });
});
