import { setTimeout as elapse } from 'node:timers/promises';
import { expect } from 'vitest';
import { ask, LOG_IN, PASSWORD, SIGN_UP } from '../cli/child.ts';
import { MONGO_IS_OURS } from '../servers/mongo.ts';
import { type FaultyProxy, startProxy, type Weather } from '../servers/proxy.ts';
import { type RunningStore, STORES, through } from '../servers/stores.ts';
import { describeEachStore, type On } from './each-store.ts';
import { logIn, logout, newcomer, refresh, StoreProgram, until, whoIs } from './program.ts';

/** A request ends within this, whatever the store does. */
const DEADLINE = 10_000;
/**
 * The process is well again this long after its store: the first to ask may still wait for what went on its way before
 * that, and is told so when its own time is over.
 */
const RECOVERY = 2 * DEADLINE;

/** A failure shows in /health after this at the latest. */
const HEALTH_SHOWS = 3_000;

const EMAIL = 'ada@example.com';

// The nodes of a cluster tell clients each other's ports, past any proxy: the cluster has tests of its own.
// And a server that is not ours is not killed.
const PROXIED = STORES.filter(
  ({ name }) => name !== 'Redis cluster' && (name !== 'MongoDB' || MONGO_IS_OURS),
);

describeEachStore('while $name fails (S55)', PROXIED, () => {
  const program = new StoreProgram();
  let proxy: FaultyProxy | undefined;
  let served: Awaited<ReturnType<StoreProgram['serve']>>;
  let revoked: string;

  const prepare = async (store: RunningStore): Promise<void> => {
    const [server] = store.servers;
    if (!server) throw new Error('there is no server to stand in front of');
    const settings = await store.newSettings();
    await program.migrate(settings);
    proxy = await startProxy(server.port);
    served = await program.serve(through(settings, server, proxy.port));
    revoked = (await newcomer(served.url, EMAIL)).accessToken;
    await logout(served.url, revoked);
  };

  const finish = async (): Promise<void> => {
    await program.close();
    await proxy?.close();
  };

  return {
    prepare,
    finish,
    tests: (on) =>
      faults(on, { served: () => served, proxy: () => proxy as FaultyProxy, revoked: () => revoked }),
  };
});

interface UnderFire {
  served(): Awaited<ReturnType<StoreProgram['serve']>>;
  proxy(): FaultyProxy;
  /** A token of a session that was ended before anything failed. */
  revoked(): string;
}

function faults(onStore: On, { served, proxy, revoked }: UnderFire): void {
  const on = (sentence: string, body: (url: string, store: RunningStore) => Promise<void>): void => {
    onStore(sentence, async (store) => {
      const { url, child, output } = served();
      try {
        await body(url, store);
      } finally {
        await proxy().turn('open');
      }
      expect(child.exitCode).toBeNull();
      expect(output()).not.toMatch(/unhandled|uncaught/i);
      expect(output()).not.toContain('secret');
    });
  };

  const inTime = <T>(work: Promise<T>): Promise<T> => {
    const late = elapse(DEADLINE, undefined, { ref: false }).then(() => {
      throw new Error(`no answer within ${DEADLINE} ms`);
    });
    return Promise.race([work, late]);
  };

  const health = async (url: string): Promise<number> => (await fetch(new URL('/health', url))).status;

  const expectRefusals = async (url: string, token: string): Promise<void> => {
    const asked = Array.from({ length: 20 }, () => inTime(whoIs(url, token)));
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['SERVICE_UNAVAILABLE']));
    const login = await inTime(ask(url, LOG_IN, { user: { email: EMAIL }, password: PASSWORD }));
    expect(login.errors?.[0]?.extensions).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryable: true });
    const open = await inTime(ask(url, '{ __typename }', {}, { authorization: `Bearer ${token}` }));
    expect(open).toMatchObject({ data: { __typename: 'Query' } });
    expect(open.errors).toBeUndefined();
    await until(HEALTH_SHOWS, async () => (await inTime(health(url))) === 503);
  };

  const expectWell = async (url: string, token: string): Promise<void> => {
    await until(RECOVERY, async () => (await whoIs(url, token)) === EMAIL);
    await until(RECOVERY, async () => (await health(url)) === 200);
    expect(await whoIs(url, revoked())).toBeNull();
    expect(await whoIs(url, (await logIn(url, EMAIL)).accessToken)).toBe(EMAIL);
  };

  const failing: [string, Weather, number?][] = [
    ['refuses connections', 'refused'],
    ['cuts connections in the middle of a query', 'reset'],
    ['takes connections and never answers', 'silent'],
    ['answers after 5 s', 'slow', 5_000],
  ];
  for (const [what, weather, delay] of failing) {
    on(`it ${what}: all is refused in time, and well again by itself`, async (url) => {
      const { accessToken } = await logIn(url, EMAIL);
      await proxy().turn(weather, delay);
      await expectRefusals(url, accessToken);
      await proxy().turn('open');
      await expectWell(url, accessToken);
    });
  }

  on('it is restarted: nothing acknowledged is lost', async (url, { servers: [server] }) => {
    const { accessToken } = await logIn(url, EMAIL);
    await server?.kill();
    await expectRefusals(url, accessToken);
    await server?.start();
    await expectWell(url, accessToken);
  });

  on('it flaps: what was acknowledged is there, and nobody is half there', async (url) => {
    const acknowledged: string[] = [];
    const emails: string[] = [];
    let flapping = true;
    const signUps = Array.from({ length: 4 }, async (_, lane) => {
      for (let n = 0; flapping; n++) {
        const email = `flap-${lane}-${n}@example.com`;
        emails.push(email);
        const { errors } = await inTime(ask(url, SIGN_UP, { user: { email, password: PASSWORD } }));
        if (!errors) acknowledged.push(email);
      }
    });
    for (let turn = 0; turn < 12; turn++) {
      await proxy().turn(turn % 2 === 0 ? 'reset' : 'open');
      await elapse(150);
    }
    await proxy().turn('open');
    flapping = false;
    await Promise.all(signUps);
    await expectWell(url, (await logIn(url, EMAIL)).accessToken);
    for (const email of acknowledged) await logIn(url, email);
    // Whoever was refused may try again, under the same address.
    for (const email of emails.filter((email) => !acknowledged.includes(email)).slice(0, 10)) {
      const again = await ask(url, SIGN_UP, { user: { email, password: PASSWORD } });
      expect(again.errors).toBeUndefined();
      await logIn(url, email);
    }
  });

  on('more ask at once than there are connections: each is answered', async (url) => {
    const { accessToken } = await logIn(url, EMAIL);
    const asked = Array.from({ length: 300 }, () => inTime(whoIs(url, accessToken)));
    expect(new Set(await Promise.all(asked))).toEqual(new Set([EMAIL]));
    expect(proxy().connections().now).toBeLessThanOrEqual(30);
  });

  on('a refresh whose answer was lost can be repeated', async (url) => {
    const tokens = await newcomer(url, 'lost@example.com');
    const [answer] = await Promise.all([inTime(refresh(url, tokens)), proxy().turn('reset')]);
    await proxy().turn('open');
    await expectWell(url, (await logIn(url, EMAIL)).accessToken);
    const again = typeof answer === 'string' ? await refresh(url, tokens) : answer;
    expect(again).toMatchObject({ accessToken: expect.any(String) });
  });
}
