import { expect, test } from 'vitest';
import { createContext } from '../../../src/graphql/context.ts';
import { apolloContext } from '../../../src/graphql/hosts/apollo.ts';
import { graphqlHttpContext } from '../../../src/graphql/hosts/graphql-http.ts';
import { graphqlSseAccounts } from '../../../src/graphql/hosts/graphql-sse.ts';
import { graphqlWsAccounts } from '../../../src/graphql/hosts/graphql-ws.ts';
import { mercuriusAccounts } from '../../../src/graphql/hosts/mercurius.ts';
import { nestjsApollo } from '../../../src/graphql/hosts/nestjs.ts';
import { nextContext } from '../../../src/graphql/hosts/next.ts';
import { useAccounts } from '../../../src/graphql/use-accounts.ts';
import { createAccounts } from '../../accounts.ts';
import { createDiary } from './host.ts';

/** What takes a server and the options of the context, by its name. */
const CALLS: { readonly [caller: string]: (server: never, options: never) => unknown } = {
  createContext,
  useAccounts,
  apolloContext,
  graphqlHttpContext,
  graphqlSseAccounts: (server, options) => graphqlSseAccounts(server, {}, options),
  graphqlWsAccounts: (server, options) => graphqlWsAccounts(server, {}, options),
  mercuriusAccounts,
  nestjsApollo: (server, options) => nestjsApollo(server, {}, options),
  nextContext,
};

test.each(Object.entries(CALLS))('%s says what is wrong with its arguments', (caller, call) => {
  const { server } = createAccounts();
  expect(() => call(server as never, {} as never)).not.toThrow();
  expect(() => call(undefined as never, {} as never)).toThrow(
    new TypeError(`${caller} needs the AccountsServer as its first argument`),
  );
  expect(() => call(server as never, { trustedProxy: [] } as never)).toThrow(
    new TypeError(`${caller}: there is no option trustedProxy`),
  );
  expect(() => call(server as never, { ctx: {} } as never)).toThrow(
    `${caller}: the option ctx is refused: spread what createContext gives`,
  );
  expect(() => call(server as never, { headerName: 'two words' } as never)).toThrow(
    new TypeError('headerName must be the name of a header'),
  );
});

test.each(Object.entries({ graphqlWsAccounts, graphqlSseAccounts }))(
  'S51 %s refuses options that are none, and a schema on which the directive was forgotten',
  (caller, adapt) => {
    const { server, schema, unguarded } = createDiary();
    expect(() => adapt(server, undefined as never)).toThrow(
      `${caller} needs the options of its host as its second argument`,
    );
    expect(() => adapt(server, { schema: unguarded })).toThrow(/not applied to Query.diary/);
    expect(() => adapt(server, { schema: unguarded }, { directiveName: 'mine' })).toThrow(TypeError);
    expect(() => adapt(server, { schema })).not.toThrow();
    expect(() => adapt(server, { schema: async () => unguarded })).not.toThrow();
  },
);
