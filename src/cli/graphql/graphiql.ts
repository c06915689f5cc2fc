import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { GraphiQLOptions } from 'graphql-yoga';
import { respond } from '../http/respond.ts';

export type GraphiqlPage = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

const SIGN_UP = `# First sign up. Then log in, in the next tab.
mutation SignUp($user: CreateUserInput!) {
  createUser(user: $user) {
    # Null, unless AMBIGUOUS_ERRORS=0:
    # nobody learns which addresses are taken.
    userId
  }
}
`;

const LOG_IN = `# Then copy the accessToken into the headers
# of the next tab.
mutation LogIn(
  $user: UserInput!
  $password: String!
) {
  authenticate(
    serviceName: "password"
    params: { user: $user, password: $password }
  ) {
    sessionId
    tokens {
      accessToken
      refreshToken
    }
  }
}
`;

const GET_USER = `# Who am I? Put the accessToken in the place of
# ACCESS_TOKEN under Headers, below.
query GetUser {
  getUser {
    id
    username
    emails {
      address
      verified
    }
  }
}
`;

const email = 'ada@example.com';
const password = 'correct horse battery';

// Variables rather than literals: GraphiQL writes the text of an operation into the address, and so into the history.
const SIGN_UP_VARIABLES = json({ user: { email, password } });

const OPTIONS: GraphiQLOptions = {
  title: 'graphql-accounts',
  endpoint: '/graphql',
  defaultTabs: [
    { query: SIGN_UP, variables: SIGN_UP_VARIABLES },
    { query: LOG_IN, variables: json({ user: { email }, password }) },
    { query: GET_USER, headers: json({ authorization: 'Bearer ACCESS_TOKEN' }) },
  ],
  defaultEditorToolsVisibility: true,
};

/** The page is made of inline scripts, so they are allowed. No other site may show it in a frame and steal clicks. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "frame-ancestors 'none'; base-uri 'none'; object-src 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const ROOT = '<div id="root"></div>';

/**
 * Puts the variables into the first tab. GraphiQL fills the tab that it opens from the last visit, and only the others
 * from `defaultTabs`.
 */
const FIRST_VISIT = `<script>
if (!localStorage.getItem('graphiql:tabState')) {
  localStorage.setItem('graphiql:variables', ${JSON.stringify(SIGN_UP_VARIABLES)});
}
</script>`;

/**
 * The page to try operations on, with a sign-up, a login and a `getUser` in its tabs. It needs no other server. It is
 * made when somebody first looks at it, and kept compressed, because it is large.
 */
export function graphiqlPage(): GraphiqlPage {
  let page: Promise<Buffer> | undefined;
  return async (req, res) => {
    page ??= render().then((html) => promisify(gzip)(html));
    const compressed = await page.catch(missing);
    if (!compressed)
      return respond(req, res, 404, { 'content-type': 'text/plain; charset=utf-8' }, NOT_INSTALLED);
    if (/\bgzip\b/.test(String(req.headers['accept-encoding']))) {
      return respond(req, res, 200, { ...HEADERS, 'content-encoding': 'gzip' }, compressed);
    }
    respond(req, res, 200, HEADERS, await promisify(gunzip)(compressed));
  };
}

const NOT_INSTALLED =
  'GraphiQL is not installed: npm install @graphql-yoga/render-graphiql. Without it, GRAPHIQL=0 turns this page off.\n';

function missing(error: Error & { code?: string }): null {
  if (error.code === 'ERR_MODULE_NOT_FOUND') return null;
  throw error;
}

async function render(): Promise<string> {
  // Without that package: the page that Yoga brings, whose scripts come from a public server.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql').catch(
    () => import('graphql-yoga'),
  );
  return renderGraphiQL(OPTIONS).replace(ROOT, () => `${ROOT}\n${FIRST_VISIT}`);
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
