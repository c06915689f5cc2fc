import { makeExecutableSchema } from '@graphql-tools/schema';
import { type ExecutionResult, GraphQLError, graphql } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { expect, test } from 'vitest';
import { AccountsError } from '../../src/errors.ts';
import { toGraphQLError } from '../../src/graphql/graphql-error.ts';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import { createAccounts } from '../accounts.ts';
import type { Answer } from './gateway.ts';

const SECRET_CAUSE = new Error('text of a driver');
const limited = () =>
  new AccountsError('RATE_LIMITED' as never, 'Too often.', { extensions: { retryAfter: 7 } });

const THROWN: [string, () => unknown, object | null][] = [
  ['FORBIDDEN', () => new AccountsError('FORBIDDEN'), told('FORBIDDEN', 'You are not allowed to do this.')],
  ['one with a message', () => new AccountsError('FORBIDDEN', 'Not today.'), told('FORBIDDEN', 'Not today.')],
  ['one with more to say', limited, told('RATE_LIMITED', 'Too often.', { retryAfter: 7 })],
  [
    'one to be tried again',
    () => new AccountsError('BUSY', 'Later.', { cause: SECRET_CAUSE }),
    told('BUSY', 'Later.', { retryable: true }),
  ],
  [
    'an unexpected one',
    () => new AccountsError('INTERNAL_SERVER_ERROR', 'text of a driver'),
    told('INTERNAL_SERVER_ERROR', 'Internal server error'),
  ],
  [
    'one that came through another schema',
    () => new GraphQLError('Not today.', { originalError: new AccountsError('FORBIDDEN', 'Not today.') }),
    told('FORBIDDEN', 'Not today.'),
  ],
  [
    'an error of GraphQL',
    () => new GraphQLError('mine', { extensions: { code: 'MINE' } }),
    told('MINE', 'mine'),
  ],
  ['any other error', () => SECRET_CAUSE, null],
  [
    'one of a class of the host’s own',
    () => Object.assign(new Error('text of a driver'), { name: 'AccountsError', code: 'FORBIDDEN' }),
    null,
  ],
];

function told(code: string, message: string, more: object = {}) {
  return { message, extensions: { ...more, code } };
}

test.each(THROWN)(
  'what a resolver of the host throws keeps its code, on Yoga: %s',
  async (_, make, expected) => {
    const { ask } = start(make);
    const answer = await ask('{ mine open }');
    expect(answer.data).toEqual({ mine: null, open: 'open' });
    expect(answer.errors).toMatchObject([{ path: ['mine'], locations: [{ line: 1, column: 3 }] }]);
    const [{ message, extensions } = { message: '' }] = answer.errors ?? [];
    if (expected) expect({ message, extensions }).toEqual(expected);
    else expect(message).toBe('Unexpected error.');
    expect(JSON.stringify(answer)).not.toContain('driver');
  },
);

test('a method of the server that refuses keeps its code, on Yoga', async () => {
  const { server } = createAccounts();
  const { ask } = start(() => server.deactivateUser('nobody'));
  expect((await ask('{ mine }')).errors).toMatchObject([{ extensions: { code: 'USER_NOT_FOUND' } }]);
});

test.each([
  ['before its source starts', 'early'],
  ['at an event', 'event'],
  ['when the source ends', 'late'],
])('a subscription that refuses %s keeps the code, on Yoga', async (_, field) => {
  const { events } = start(() => new AccountsError('FORBIDDEN', 'Not today.'));
  const text = await events(`subscription { ${field} }`);
  expect(text).toContain('"message":"Not today."');
  expect(text).toContain('"code":"FORBIDDEN"');
  expect(text).not.toContain('Unexpected');
});

test.each(THROWN.filter(([, make]) => make() instanceof AccountsError))(
  'and where there are no plugins: %s',
  async (_, make) => {
    const error = make() as AccountsError;
    const { schema } = start(make);
    const [found] = ((await graphql({ schema, source: '{ mine }' })) as ExecutionResult).errors ?? [];
    expect(found?.toJSON().extensions).toEqual(toGraphQLError(error).toJSON().extensions);
    expect(JSON.stringify(found)).not.toMatch(/cause|stack/);
  },
);

test('a result without errors is left as it is', () => {
  const plugin = useAccounts(createAccounts().server);
  const { onExecuteDone } = plugin.onExecute({ args: { schema: start(() => 1).schema } } as never);
  const setResult = () => expect.unreachable();
  expect(onExecuteDone({ result: { data: {} }, setResult })).toBeUndefined();
  expect(onExecuteDone({ result: { errors: [new GraphQLError('mine')] }, setResult })).toBeUndefined();
});

function start(make: () => unknown) {
  const { server } = createAccounts();
  const fail = async (): Promise<never> => {
    throw await make();
  };
  const schema = makeExecutableSchema({
    typeDefs: `
      type Query { mine: String open: String }
      type Subscription { early: String event: String late: String }
    `,
    resolvers: {
      Query: { mine: fail, open: () => 'open' },
      Subscription: {
        early: { subscribe: fail },
        event: {
          subscribe: async function* () {
            yield {};
          },
          resolve: fail,
        },
        late: {
          subscribe: async function* () {
            yield { late: 'one' };
            await fail();
          },
        },
      },
    },
  });
  const yoga = createYoga({ schema, logging: false, plugins: [useAccounts(server)] });
  const post = (query: string, accept: string) =>
    yoga.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query }),
    });
  return {
    schema,
    ask: async (query: string) => (await (await post(query, 'application/json')).json()) as Answer,
    events: async (query: string) => (await post(query, 'text/event-stream')).text(),
  };
}
