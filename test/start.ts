// What a new user does first: `npm start`, a sign-up, a login. Then it is told to stop, as a supervisor would.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const DEADLINE = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-start-'));
const npm = spawn('npm', ['start', '--silent'], {
  env: { ...process.env, PORT: '0', DATABASE_URL: `sqlite:${folder}/accounts.db` },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const late = setTimeout(() => fail(`no end within ${DEADLINE} ms`), DEADLINE);
let output = '';
npm.stdout.setEncoding('utf8');
npm.stdout.on('data', (chunk: string) => {
  output += chunk;
});

const died = (code: number | null): never => fail(`npm start ended with ${code}`);
npm.once('exit', died);
const url = await seen(/listening at (http:\S+\/graphql)/);
const credentials = `user: { email: "ada@example.com" }, password: "correct horse battery"`;
await ask(
  'mutation { createUser(user: { email: "ada@example.com", password: "correct horse battery" }) { userId } }',
);
const { authenticate } = await ask(
  `mutation { authenticate(serviceName: "password", params: { ${credentials} }) { tokens { accessToken } } }`,
);
const { getUser } = await ask('{ getUser { emails { address } } }', authenticate.tokens.accessToken);
if (getUser.emails[0]?.address !== 'ada@example.com') fail('getUser answered somebody else');
console.log('npm start: signed up, logged in, recognised');

npm.off('exit', died);
const ended = new Promise((resolve) => npm.once('close', resolve));
npm.kill('SIGTERM');
await ended;
await gone(url);
console.log('npm start: ended when told to');
clearTimeout(late);
rmSync(folder, { recursive: true, force: true });

/** The first match in what the program prints. */
async function seen(pattern: RegExp): Promise<string> {
  for (;;) {
    const match = pattern.exec(output);
    if (match) return match[1] ?? '';
    await new Promise<void>((resolve) => npm.stdout.once('data', () => resolve()));
  }
}

/** Resolves once nothing listens there any more; the deadline of the whole bounds it. */
async function gone(at: string): Promise<void> {
  while (
    await fetch(at).then(
      () => true,
      () => false,
    )
  )
    await new Promise((resolve) => setTimeout(resolve, 50));
}

interface Answer {
  authenticate: { tokens: { accessToken: string } };
  getUser: { emails: { address: string }[] };
}

async function ask(query: string, token?: string): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: Answer; errors?: unknown };
  if (errors) fail(JSON.stringify(errors));
  return data;
}

function fail(message: string): never {
  console.error(`npm start: ${message}\n${output}`);
  npm.kill('SIGKILL');
  process.exit(1);
}
