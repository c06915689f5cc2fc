import type { Server } from '../children.ts';
import type { LoadOrder } from '../load.ts';
import { graphqlRequest, loginMutation, TYPENAME } from '../requests.ts';
import type { Sample } from '../result.ts';
import type { World } from '../world.ts';
import {
  asksForUser,
  checked,
  everybody,
  LOGINS_IN_FLIGHT,
  type Measurement,
  type Size,
} from './measurement.ts';

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
 * Two processes on one file, and one of them alone. The load has to get by with what they leave of two cores: it sends
 * sixteen requests at a time, and so costs a tenth of what they do. What processes cost each other shows in their own
 * processor time.
 */
export function twoProcesses({ load, stateful, twin }: World, { requests }: Size): Measurement {
  const order = { ...asksForUser(4 * requests, stateful.tokens), pipelined: 16 };
  const run = async (...servers: Server[]): Promise<Sample> => {
    const ports = servers.map(({ port }) => port);
    await spent(servers);
    const found = checked('processes', await load.run({ ...order, ports, connections: 16 / ports.length }));
    return { rate: found.requests / found.seconds, cpu: (await spent(servers)) / found.requests };
  };
  const one = () => run(stateful.server);
  const two = () => run(stateful.server, twin);
  return {
    figures: { one: 'one process, getUser', two: 'two processes, getUser' },
    async measure(round) {
      if (round % 2 === 0) return { one: await one(), two: await two() };
      const last = await two();
      return { one: await one(), two: last };
    },
  };
}

/** Processor time of all of them since they were asked last. */
async function spent(servers: readonly Server[]): Promise<number> {
  const each = await Promise.all(servers.map((server) => server.cpu()));
  return each.reduce((sum, cpu) => sum + cpu, 0);
}
