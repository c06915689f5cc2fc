import { asks, everybody, type Measurement, type Size } from './measures/measurement.ts';
import { counted, requestMeasures } from './measures/requests.ts';
import { lightBesideLogins, twoProcesses } from './measures/side-by-side.ts';
import { importing, resolving } from './measures/without-http.ts';
import { graphqlRequest, loginMutation, PASSWORD, post } from './requests.ts';
import type { World } from './world.ts';

type Measures = ReturnType<typeof requestMeasures>;

/** Everything that is measured, in one order; every second round goes the other way. */
export function measurements(world: World, size: Size): Measurement[] {
  const measures = requestMeasures(world.load, size);
  const { anonymous, getUser, refresh, login } = measures;
  const { floor, yoga, stateful, stateless } = world;
  return [
    anonymous('floor', 'node:http + graphql-js', floor),
    anonymous('yoga', 'tuned Yoga', yoga),
    anonymous('anonymous', 'ours', stateful.server),
    getUser('get-user', 'ours, stateful, getUser', stateful),
    anonymous('stateless-anonymous', 'ours, stateless', stateless.server),
    getUser('stateless', 'ours, stateless, getUser', stateless),
    ...onServers(world, size, measures),
    refresh('refresh', 'ours, refreshTokens', stateful.server, stateful.people.logIn),
    login('login', 'ours, login', stateful.server, logins(size.logins)),
    ...ofPeers(world, size, measures),
    lightBesideLogins(world, size),
    twoProcesses(world, size),
    ...withOptions(world, measures),
    resolving(world.inProcess, size),
    importing(),
  ];
}

function logins(count: number) {
  return asks(
    count,
    everybody((email) => graphqlRequest(loginMutation(email))),
    '"accessToken":"',
  );
}

const STORES: { [store: string]: string } = {
  redis: 'sessions in Redis',
  postgres: 'PostgreSQL',
  mongo: 'MongoDB',
};

/** The same requests on each store, with the calls that reach it counted. */
function onServers({ stores }: World, size: Size, { anonymous, getUser }: Measures): Measurement[] {
  return Object.entries(STORES).flatMap(([id, name]) => {
    const ours = stores[id];
    if (!ours) return [];
    const { server } = ours;
    return [
      anonymous(`${id}-anonymous`, name, server),
      counted(id, getUser(id, `${name}, getUser`, ours), server, size),
    ];
  });
}

function ofPeers(
  { peers }: World,
  size: Size,
  { anonymous, getUser, getSession, refresh, login }: Measures,
): Measurement[] {
  if (!peers) return [];
  const { accountsJs, betterAuth, betterAuthCached } = peers;
  // They hash so much slower that fewer logins take as long.
  const few = Math.ceil(size.logins / 4);
  const signIns = everybody((email) => post('/api/auth/sign-in/email', { email, password: PASSWORD }));
  return [
    anonymous('accounts-js-anonymous', 'accounts-js', accountsJs.server),
    getUser('accounts-js', 'accounts-js, getUser', accountsJs),
    getSession('better-auth', 'better-auth, get-session', betterAuth),
    getSession('better-auth-cached', 'better-auth, get-session, cookie cache', betterAuthCached),
    refresh('accounts-js-refresh', 'accounts-js, refreshTokens', accountsJs.server, accountsJs.logIn),
    login('accounts-js-login', 'accounts-js, login', accountsJs.server, logins(few)),
    login('better-auth-login', 'better-auth, login', betterAuth.server, asks(few, signIns, '"token":"')),
  ];
}

/** What each option costs where it is felt. */
function withOptions(
  { options }: World,
  { anonymous, getUser, refresh, withToken }: Measures,
): Measurement[] {
  const { none, yoga, events, tracer, createJwtPayload, stateless, loadUser } = options;
  return [
    anonymous('on-yoga-anonymous', 'ours on the tuned Yoga', yoga.server),
    getUser('on-yoga', 'ours on the tuned Yoga, getUser', yoga),
    getUser('option-none', 'without options, getUser', none),
    getUser('option-events', 'a listener of ResumeSessionSuccess, getUser', events),
    getUser('option-tracer', 'tracer of OpenTelemetry, getUser', tracer),
    refresh('option-none-refresh', 'without options, refreshTokens', none.server, none.people.logIn),
    refresh(
      'option-jwt',
      'createJwtPayload, refreshTokens',
      createJwtPayload.server,
      createJwtPayload.people.logIn,
    ),
    withToken('option-stateless', 'stateless, { __typename } with a token', stateless),
    withToken('option-load-user', 'loadUser, { __typename } with a token', loadUser),
  ];
}
