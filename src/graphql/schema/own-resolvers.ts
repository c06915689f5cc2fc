import type { GraphQLSchema } from 'graphql';
import { ofEveryCopy } from '../every-copy.ts';

const PREFIX = 'graphqlAccounts';
const servers = ofEveryCopy('servers', () => ({ names: new WeakMap<object, string>(), last: 0 }));

/** Gives a resolver a name by which its server is known: schema tools bind functions, and of one bound it is all that stays. */
export function noteOwnResolver<T extends object>(resolver: T, server: object): T {
  return Object.defineProperty(resolver, 'name', { value: nameOf(server), configurable: true });
}

export const OTHER_SERVER =
  'is of another AccountsServer than useAccounts or createContext were given: there is one for each schema';

/**
 * Throws a TypeError where an operation is of another server than the context: it would see the users of the one under
 * the sessions of the other. What another tool has wrapped is recognised when it runs.
 */
export function ensureOwnResolvers(server: object, schema: GraphQLSchema): void {
  for (const type of [schema.getQueryType(), schema.getMutationType()])
    for (const { name, resolve } of Object.values(type?.getFields() ?? {})) {
      const owner = resolve?.name.replace(/^(bound )+/, '') ?? '';
      if (owner.startsWith(PREFIX) && owner !== nameOf(server))
        throw new TypeError(`${type?.name}.${name} ${OTHER_SERVER}.`);
    }
}

function nameOf(server: object): string {
  const name = servers.names.get(server) ?? `${PREFIX}${++servers.last}`;
  servers.names.set(server, name);
  return name;
}
