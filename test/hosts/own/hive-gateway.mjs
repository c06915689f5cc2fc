// What several users ask at once does not get mixed up, and the headers of the subgraphs come through.
import assert from 'node:assert/strict';

const [url = ''] = process.argv.slice(2);
const PASSWORD = 'correct horse battery staple';

async function ask(query, token) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  const { data } = await response.json();
  return { data, headers: response.headers };
}

const authenticate = (email, password) => `mutation {
  authenticate(serviceName: "password", params: { user: { email: "${email}" }, password: "${password}" }) {
    user { id } tokens { accessToken }
  }
}`;

const users = await Promise.all(
  Array.from({ length: 8 }, async (_, index) => {
    const email = `own-${index}@example.com`;
    await ask(`mutation { createUser(user: { email: "${email}", password: "${PASSWORD}" }) { userId } }`);
    const { data } = await ask(authenticate(email, PASSWORD));
    return { id: data.authenticate.user.id, token: data.authenticate.tokens.accessToken };
  }),
);
// Equal queries that are on their way at the same time are sent to a subgraph once: not those of two users.
await Promise.all(
  [...users, ...users, ...users].map(async ({ id, token }) => {
    const { data } = await ask('{ diary getUser { id pages } }', token);
    assert.deepEqual(data, { diary: [`Diary of ${id}`], getUser: { id, pages: 1 } });
  }),
);

let answer = await ask(authenticate('own-0@example.com', 'wrong'));
for (let tries = 0; tries < 10; tries++) answer = await ask(authenticate('own-0@example.com', 'wrong'));
assert.equal(answer.headers.get('retry-after'), '60');
assert.equal(answer.headers.get('cache-control'), 'no-store');
