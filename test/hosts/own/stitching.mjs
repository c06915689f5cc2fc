// The directive applied before stitching, after it, both, and twice; and a `User` of the gateway's own beside ours.
import assert from 'node:assert/strict';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { stitchSchemas } from '@graphql-tools/stitch';
import { AccountsServer, accountsModule, authDirective, password, useAccounts } from 'graphql-accounts';
import { memoryDatabase } from 'graphql-accounts/database/memory';
import { createYoga } from 'graphql-yoga';

const accountsServer = new AccountsServer(
  {
    db: memoryDatabase(),
    tokenSecret: 'a secret of the stitched that is long enough',
    sendMail: async () => {},
  },
  { password: password() },
);
const { authDirectiveTypeDefs, authDirectiveTransformer: guard } = authDirective();
const ada = { email: 'ada@example.com', password: 'correct horse battery staple' };
await accountsServer.services.password.createUser(ada, {});
const { tokens } = await accountsServer.loginWithService(
  'password',
  { user: ada.email, password: ada.password },
  {},
);

const accounts = { schema: makeExecutableSchema(accountsModule(accountsServer, { userType: 'Account' })) };
const own = makeExecutableSchema({
  typeDefs: [
    authDirectiveTypeDefs,
    /* GraphQL */ `
      type Query { author: User! }
      interface Named { name: String @auth }
      type User implements Named { id: ID! name: String shelf: Shelf }
      type Shelf @auth { books: [String!] }
    `,
  ],
  resolvers: { Query: { author: () => ({ id: '1', name: 'Jane', shelf: { books: ['Emma'] } }) } },
});
const open = { schema: own };
const guarded = { schema: guard(own) };

const QUERY = '{ author { __typename id name shelf { books } } getUser { __typename emails { address } } }';
const AUTHOR = { __typename: 'User', id: '1', name: 'Jane', shelf: { books: ['Emma'] } };

const stitched = {
  before: stitchSchemas({ subschemas: [accounts, guarded] }),
  after: guard(stitchSchemas({ subschemas: [accounts, open] })),
  both: guard(stitchSchemas({ subschemas: [accounts, guarded] })),
  twice: guard(guard(stitchSchemas({ subschemas: [accounts, guarded] }))),
  again: guard(
    stitchSchemas({ subschemas: [{ schema: guard(stitchSchemas({ subschemas: [accounts, guarded] })) }] }),
  ),
};
for (const [when, schema] of Object.entries(stitched)) {
  const yoga = createYoga({ schema, plugins: [useAccounts(accountsServer)], logging: false });
  const ask = async (headers) => {
    const response = await yoga.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: QUERY }),
    });
    return response.json();
  };
  const known = await ask({ authorization: `Bearer ${tokens.accessToken}` });
  const me = { __typename: 'Account', emails: [{ address: 'ada@example.com' }] };
  assert.deepEqual(known, { data: { author: AUTHOR, getUser: me } }, when);
  const stranger = await ask({});
  assert(!JSON.stringify(stranger).includes('Jane'), when);
  assert(!JSON.stringify(stranger).includes('Emma'), when);
  const codes = stranger.errors?.map(({ extensions }) => extensions?.code);
  assert.deepEqual(codes, ['UNAUTHENTICATED', 'UNAUTHENTICATED'], when);
}

const forgotten = stitchSchemas({ subschemas: [accounts, open] });
assert.throws(
  () => createYoga({ schema: forgotten, plugins: [useAccounts(accountsServer)] }),
  /was not applied/,
);
