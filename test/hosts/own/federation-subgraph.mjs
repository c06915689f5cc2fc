// It composes with a subgraph that adds to our `User`, and by `_entities` nobody reads what is another's.
import assert from 'node:assert/strict';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';

const [url = ''] = process.argv.slice(2);
const PASSWORD = 'correct horse battery staple';

async function ask(query, token) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

async function login(email) {
  await ask(`mutation { createUser(user: { email: "${email}", password: "${PASSWORD}" }) { userId } }`);
  const { data } = await ask(`mutation {
    authenticate(serviceName: "password", params: { user: { email: "${email}" }, password: "${PASSWORD}" }) {
      user { id } tokens { accessToken }
    }
  }`);
  return { id: data.authenticate.user.id, token: data.authenticate.tokens.accessToken };
}

const { data: service } = await ask('{ _service { sdl } }');
const { supergraphSdl, errors } = composeServices([
  { name: 'diary', url, typeDefs: parse(service._service.sdl) },
  {
    name: 'posts',
    url: 'http://localhost',
    typeDefs: parse(`
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])
      type User @key(fields: "id") { id: ID! posts: [String!] }
    `),
  },
]);
assert.equal(errors?.length ?? 0, 0);
assert.match(supergraphSdl ?? '', /type User[^}]*emails[^}]*posts/);

const ada = await login('ada.own@example.com');
const eve = await login('eve.own@example.com');
const entity = `{ _entities(representations: [{ __typename: "User", id: "${ada.id}" }]) {
  ... on User { id emails { address } }
} }`;
const nothing = { _entities: [{ id: ada.id, emails: null }] };
assert.deepEqual((await ask(entity)).data, nothing);
assert.deepEqual((await ask(entity, eve.token)).data, nothing);
assert.deepEqual((await ask(entity, ada.token)).data, {
  _entities: [{ id: ada.id, emails: [{ address: 'ada.own@example.com' }] }],
});
