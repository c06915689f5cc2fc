import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STORES } from '../test/servers/stores.ts';
import { type Load, type Server, startLoad, startServer } from './children.ts';
import type { Tokens } from './requests.ts';
import { fillStore, type People } from './sessions.ts';
import { type Peers, startPeers } from './start-peers.ts';

/** A server of ours, and tokens of its users. */
export interface Ours {
  /** Where its database is. */
  folder: string;
  server: Server;
  people: People;
  tokens: readonly Tokens[];
}

/** Every process of a run. What is not on this machine is null. */
export interface World {
  load: Load;
  /** For whatever is done at the same time. */
  secondLoad: Load;
  inProcess: Server;
  floor: Server;
  yoga: Server;
  stateful: Ours;
  /** A second process on the same file. */
  twin: Server;
  stateless: Ours;
  /** As applications use it, with one option each. */
  options: Record<
    'none' | 'yoga' | 'events' | 'tracer' | 'createJwtPayload' | 'stateless' | 'loadUser',
    Ours
  >;
  stores: { [store: string]: Ours | null };
  peers: Peers | null;
}

/** As many sessions, of as many users, take turns in asking. */
export const SESSIONS = 50;

const USERS = 1_000;
const SETTINGS = [
  'RATE_LIMITS=off',
  'NODE_ENV=production',
  'TOKEN_SECRET=a secret of the benchmark, long enough',
  'SITE_URL=http://localhost',
  'GRAPHIQL=0',
];

/** How each server is set up, in words: docs/performance.md shows the same. */
export const CONFIGURATION: { [server: string]: string } = {
  'node:http + graphql-js': 'documents parsed and validated once, in a Map; nothing else',
  Yoga: 'parserAndValidationCache on; maxRequestBodySize, logging, graphiql, landingPage, batching, cors and multipart off',
  'graphql-accounts': `serve with LOG_LEVEL=warn and ${SETTINGS.slice(0, 2).join(', ')}; SQLite in a file; every service and guard on`,
  'graphql-accounts on Yoga': 'useAccounts on that Yoga, with the password service; the same SQLite',
  'accounts-js':
    'its AccountsModule on the same Yoga with the same options; a database in memory; bcrypt as it comes',
  'better-auth':
    'node:sqlite in WAL mode, synchronous NORMAL; rateLimit, telemetry, logger and renewal of sessions off; cookieCache off, and on for 15 minutes; scrypt as it comes',
};

/** Starts everything. `whole` adds what a smoke test does without: the stores on servers, and the peers. */
export async function startWorld({
  whole,
}: {
  whole: boolean;
}): Promise<{ world: World; end(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-bench-'));
  const ends: (() => Promise<void>)[] = [];
  const end = async (): Promise<void> => {
    for (const each of ends.toReversed()) await each();
    rmSync(folder, { recursive: true, force: true });
  };
  const ending = <T extends { stop(): Promise<void> }>(child: T): T => {
    ends.push(() => child.stop());
    return child;
  };
  const start = async (file: string, ...args: string[]): Promise<Server> =>
    ending(await startServer(file, ...args));
  let count = 0;
  const ours = async (file: string, args: readonly string[], settings: readonly string[]): Promise<Ours> => {
    const place = join(folder, `${++count}`);
    mkdirSync(place);
    const all = [...SETTINGS, ...settings];
    const people = await fillStore(place, all, USERS);
    ends.push(() => people.close());
    const server = await start(file, ...args, place, ...all);
    return { folder: place, server, people, tokens: await people.logIn(SESSIONS) };
  };
  const library = (option: string, ...settings: string[]): Promise<Ours> =>
    ours('library-server.ts', [option], settings);

  const onServer = async (name: string): Promise<Ours | null> => {
    const running = await STORES.find((store) => store.name === name)?.start();
    if (!running) return null;
    ends.push(() => running.close());
    const settings = Object.entries(await running.newSettings());
    return library('none', ...settings.map(([variable, value]) => `${variable}=${value}`));
  };

  try {
    const stateful = await ours('accounts-server.ts', [], []);
    return {
      end,
      world: {
        load: ending(await startLoad()),
        secondLoad: ending(await startLoad()),
        inProcess: await start('in-process.ts'),
        floor: await start('floor-server.ts'),
        yoga: await start('plain-server.ts'),
        stateful,
        twin: await start('accounts-server.ts', stateful.folder, ...SETTINGS),
        stateless: await ours('accounts-server.ts', [], ['STATELESS=1']),
        options: {
          none: await library('none'),
          yoga: await library('yoga'),
          events: await library('events'),
          tracer: await library('tracer'),
          createJwtPayload: await library('createJwtPayload'),
          stateless: await library('none', 'STATELESS=1'),
          loadUser: await library('loadUser', 'STATELESS=1'),
        },
        stores: whole
          ? {
              redis: await onServer('Redis'),
              postgres: await onServer('PostgreSQL'),
              mongo: await onServer('MongoDB'),
            }
          : {},
        peers: whole ? await startPeers(start, { folder, users: SESSIONS }) : null,
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
