// npm run bench: what accounts cost on each request, in processor time of the server's own process.
//
// Servers and load are separate processes. Everything is measured in turn, round by round, every second round in the
// opposite order, so that a machine that gets slower meanwhile slows all alike: quote the ratios.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startLoad, startServer } from './children.ts';
import type { LoadOrder } from './load.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 4000);
const CONNECTIONS = 50;
const USER = { email: 'ada@example.com', password: 'correct horse battery staple 9' };

interface Figure {
  name: string;
  server: Server;
  order(): Promise<Omit<LoadOrder, 'port'>>;
  micros: number[];
  perSecond: number[];
}

const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-bench-'));
const load = startLoad();
const [plain, stateful, stateless] = await Promise.all([
  startServer('plain-server.ts'),
  startServer('accounts-server.ts', join(folder, 'stateful')),
  startServer('accounts-server.ts', join(folder, 'stateless'), 'STATELESS=1'),
]);

try {
  await signUp(stateful);
  await signUp(stateless);
  const anonymous = async () => ({
    ...{ requests: REQUESTS, connections: CONNECTIONS },
    ...{ body: '{"query":"{ __typename }"}', expect: '{"data":{"__typename":"Query"}}' },
  });
  const getUser = (server: Server) => async () => ({
    ...{
      requests: REQUESTS,
      connections: CONNECTIONS,
      body: '{"query":"{ getUser { id } }"}',
      expect: '{"getUser":{"id"',
    },
    authorization: `Bearer ${(await logIn(server)).accessToken}`,
  });
  const refresh = async () => {
    // One token for all: past the first it is the repeated answer, which does all but the write.
    const { accessToken, refreshToken } = await logIn(stateful);
    const query = `mutation { refreshTokens(accessToken: "${accessToken}", refreshToken: "${refreshToken}") { sessionId } }`;
    return {
      requests: REQUESTS / 4,
      connections: CONNECTIONS,
      body: JSON.stringify({ query }),
      expect: '"sessionId"',
    };
  };
  const login = async () => ({
    ...{ requests: 200, connections: 20, body: loginBody(), expect: '"accessToken"' },
  });
  const figures: Figure[] = [
    figure('tuned Yoga without accounts, { __typename }', plain, anonymous),
    figure('anonymous { __typename }', stateful, anonymous),
    figure('getUser, stateful', stateful, getUser(stateful)),
    figure('getUser, stateless', stateless, getUser(stateless)),
    figure('refreshTokens', stateful, refresh),
    figure('login (argon2id)', stateful, login),
  ];
  for (let round = 0; round <= ROUNDS; round++) {
    // Round 0 warms up and is not counted.
    for (const each of round % 2 === 0 ? figures : figures.toReversed()) await measure(each, round > 0);
  }
  report(figures, await lightBesideLogins());
} finally {
  await Promise.all([plain.stop(), stateful.stop(), stateless.stop(), load.stop()]);
  rmSync(folder, { recursive: true, force: true });
}

function figure(name: string, server: Server, order: Figure['order']): Figure {
  return { name, server, order, micros: [], perSecond: [] };
}

async function measure({ name, server, order, micros, perSecond }: Figure, counts: boolean): Promise<void> {
  const { requests, ...rest } = await order();
  await server.cpu();
  const { seconds, wrong } = await load.run({ ...rest, requests, port: server.port });
  const spent = await server.cpu();
  if (wrong > 0) throw new Error(`${name}: ${wrong} wrong answers, so there is no figure`);
  if (!counts) return;
  micros.push(spent / requests);
  perSecond.push(requests / seconds);
}

interface Light {
  logins: number;
  /** p99 of the light request, in milliseconds. */
  p99: number;
  loginsPerSecond: number;
}

/** An anonymous request, one at a time: alone, and while so many logins are in flight all the time. */
async function lightBesideLogins(): Promise<Light[]> {
  const second = startLoad();
  const light = {
    port: stateful.port,
    requests: 1000,
    connections: 1,
    body: '{"query":"{ __typename }"}',
    expect: 'Query',
  };
  const found: Light[] = [{ logins: 0, p99: (await load.run(light)).latencies.p99, loginsPerSecond: 0 }];
  try {
    for (const logins of [20, 200]) {
      const login = {
        port: stateful.port,
        requests: 400,
        connections: logins,
        body: loginBody(),
        expect: '"accessToken"',
      };
      const [beside, done] = await Promise.all([load.run(light), second.run(login)]);
      if (done.wrong > 0) throw new Error(`${done.wrong} of 400 logins failed`);
      found.push({ logins, p99: beside.latencies.p99, loginsPerSecond: 400 / done.seconds });
    }
    return found;
  } finally {
    await second.stop();
  }
}

function report(figures: Figure[], lights: Light[]): void {
  const [yoga, own] = figures.map(({ micros }) => median(micros));
  const rows = figures.map(({ name, micros, perSecond }) => ({
    figure: name,
    'CPU µs': Math.round(median(micros)),
    spread: `${Math.round(Math.min(...micros))}–${Math.round(Math.max(...micros))}`,
    '÷ Yoga': round(median(micros) / (yoga ?? 1)),
    '÷ own anonymous': round(median(micros) / (own ?? 1)),
    'per second': Math.round(median(perSecond)),
  }));
  console.table(rows);
  console.table(
    lights.map(({ logins, p99, loginsPerSecond }) => ({
      'logins in flight': logins,
      'light request, p99 ms': round(p99),
      'logins per second': Math.round(loginsPerSecond),
    })),
  );
  const busy = figures.some(({ micros }) => Math.max(...micros) > 2 * median(micros));
  if (busy) console.log('The machine was busy: some rounds took more than twice the median. Repeat the run.');
  if (process.env.BENCH_JSON)
    writeFileSync(process.env.BENCH_JSON, JSON.stringify({ rows, lights }, null, 2));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

async function signUp(server: Server): Promise<void> {
  const query = `mutation { createUser(user: { email: "${USER.email}", password: "${USER.password}" }) { userId } }`;
  await ask(server, query);
}

async function logIn(server: Server): Promise<{ accessToken: string; refreshToken: string }> {
  return (await ask(server, JSON.parse(loginBody()).query)).authenticate.tokens;
}

function loginBody(): string {
  const params = `{ user: { email: "${USER.email}" }, password: "${USER.password}" }`;
  const query = `mutation { authenticate(serviceName: "password", params: ${params}) { tokens { accessToken refreshToken } } }`;
  return JSON.stringify({ query });
}

async function ask(server: Server, query: string) {
  const response = await fetch(`http://127.0.0.1:${server.port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as {
    data: { authenticate: { tokens: { accessToken: string; refreshToken: string } } };
    errors?: unknown;
  };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}
