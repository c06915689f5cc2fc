import type { Server } from '../children.ts';
import type { LoadOrder } from '../load.ts';
import { pin } from '../machine.ts';
import { graphqlRequest, loginMutation, TYPENAME } from '../requests.ts';
import type { Sample } from '../result.ts';
import type { World } from '../world.ts';
import { asksForUser, checked, everybody, type Measurement, type Size } from './measurement.ts';

const LOGINS_IN_FLIGHT = 20;

/** One anonymous request after the other, alone and while logins are in flight all the time. */
export function lightBesideLogins({ load, secondLoad, stateful }: World, { seconds }: Size): Measurement {
  const light: LoadOrder = {
    ...{ ports: [stateful.server.port], connections: 1, seconds },
    ...{ messages: [graphqlRequest(TYPENAME)], expect: '"Query"' },
  };
  const logins: LoadOrder = {
    ...{ ...light, connections: LOGINS_IN_FLIGHT, expect: '"accessToken":"' },
    messages: everybody((email) => graphqlRequest(loginMutation(email))),
  };
  return {
    figures: {
      light: 'a light request, alone',
      'light-beside': `a light request beside ${LOGINS_IN_FLIGHT} logins`,
    },
    async measure() {
      const alone = checked('light', await load.run({ ...light, seconds: seconds / 3 }));
      const [beside, done] = await Promise.all([load.run(light), secondLoad.run(logins)]);
      checked('logins beside it', done);
      return {
        light: { p99: alone.latencies.p99 },
        'light-beside': { p99: checked('light', beside).latencies.p99 },
      };
    },
  };
}

/**
 * Two processes on one file, and one of them alone, once as the system spreads them and once with a core for each. The
 * load has to get by with what they leave of two cores: it sends sixteen requests at a time, and so costs a tenth of
 * what they do.
 */
export function twoProcesses({ load, stateful, twin }: World, { requests }: Size): Measurement {
  const order = { ...asksForUser(4 * requests, stateful.tokens), pipelined: 16 };
  const one = [stateful.server];
  const two = [stateful.server, twin];
  const run = async (servers: readonly Server[]): Promise<Sample> => {
    const ports = servers.map(({ port }) => port);
    const found = checked('processes', await load.run({ ...order, ports, connections: 16 / ports.length }));
    return { rate: found.requests / found.seconds };
  };
  const both = async (reversed: boolean): Promise<[Sample, Sample]> => {
    if (!reversed) return [await run(one), await run(two)];
    const last = await run(two);
    return [await run(one), last];
  };
  return {
    figures: {
      one: 'one process, getUser',
      two: 'two processes, getUser',
      'one-pinned': 'one process on one core, getUser',
      'two-pinned': 'two processes on a core each, getUser',
    },
    async measure(round) {
      const [spreadOne, spreadTwo] = await both(round % 2 > 0);
      const pinned = two.map(({ pid }, core) => pin(pid, core)).every((done) => done);
      try {
        if (!pinned) return { one: spreadOne, two: spreadTwo };
        const [pinnedOne, pinnedTwo] = await both(round % 2 > 0);
        return { one: spreadOne, two: spreadTwo, 'one-pinned': pinnedOne, 'two-pinned': pinnedTwo };
      } finally {
        for (const { pid } of two) pin(pid, 'all');
      }
    },
  };
}
