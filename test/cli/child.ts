import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect, end, printed } from '../program.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

export type Environment = { [name: string]: string | undefined };

/** Folders and processes of one test, given back at its end. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-cli-'));
  readonly #children: ChildProcess[] = [];

  /** Starts the program in the folder; where it listens and what it writes. */
  async start(environment: Environment = {}, args: readonly string[] = ['serve']) {
    const { child, output } = this.#spawn(args, { PORT: '0', ...environment });
    const [, origin = ''] = await printed(child, output, /listening at (http:\/\/[^/\s]+)\/graphql/);
    return { child, origin, url: `${origin}/graphql`, output, stop: () => end(child) };
  }

  /** Runs the program to its end. */
  async run(args: readonly string[], environment: Environment = {}) {
    const { child } = this.#spawn(args, environment);
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.on('data', (text: string) => {
      stderr += text;
    });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, stdout, stderr };
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map(end));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(args: readonly string[], environment: Environment) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: this.folder,
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    return { child, output: collect(child) };
  }
}

/** Asks GraphQL, and reads the answer. */
export async function ask(url: string, query: string, variables: object = {}, headers: object = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as Answer;
  return { status: response.status, headers: response.headers, ...body };
}

/** Sends what `fetch` would not: any header, any method, and a body of any length. */
export function send(
  url: string,
  { body = '', ...options }: { method?: string; headers?: OutgoingHttpHeaders; body?: string | Buffer } = {},
): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, async (response) => {
      const { statusCode: status, headers } = response;
      resolve({ status, headers, text: (await response.toArray()).join('') });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Sends a body as it is. */
export async function post(to: string, body: string) {
  const headers = { 'content-type': 'application/json' };
  const { status, text } = await send(to, { method: 'POST', headers, body });
  return { status, text, code: codeIn(text) };
}

/** The code of the first error in an answer. */
export function codeIn(text: string): string | undefined {
  return (JSON.parse(text) as Answer).errors?.[0]?.extensions.code;
}

export interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions: { code: string }; locations?: object[] }[];
}

export const PASSWORD = 'correct horse battery staple';

export const SIGN_UP = 'mutation ($user: CreateUserInput!) { createUser(user: $user) { userId } }';

export const LOG_IN = `mutation ($user: UserInput!, $password: String!) {
  authenticate(serviceName: "password", params: { user: $user, password: $password }) {
    sessionId tokens { accessToken refreshToken }
  }
}`;

interface Me {
  emails: { address: string; verified: boolean }[];
}

/** The tokens in the answer to a login; an error when there are none. */
export function tokensOf({ data, errors }: Answer): { accessToken: string; refreshToken: string } {
  const login = data?.authenticate as { tokens: { accessToken: string; refreshToken: string } } | undefined;
  if (!login) throw new Error(`nobody was logged in: ${JSON.stringify(errors)}`);
  return login.tokens;
}

/** The addresses of whom an access token belongs to. */
export async function emailsOf(url: string, accessToken: string): Promise<Me['emails']> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const { data } = await ask(url, '{ getUser { emails { address verified } } }', {}, headers);
  const me = data?.getUser as Me | null | undefined;
  return me?.emails ?? [];
}
