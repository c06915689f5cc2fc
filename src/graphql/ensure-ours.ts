import { type GraphQLSchema, isSchema } from 'graphql';
import { ensureGuards } from './auth-directive/index.ts';
import { ensureOwnResolvers } from './schema/own-resolvers.ts';
import { ensureOwnTypes } from './schema/own-types.ts';

/** Throws a TypeError for a schema on which `@auth` is open, or ours is not what accountsModule has made. */
export function ensureOurs(server: object, schema: GraphQLSchema, directiveName: string): void {
  ensureGuards(schema, directiveName);
  ensureOwnResolvers(server, schema);
  ensureOwnTypes(server, schema);
}

/**
 * The same for the options of a host that hold its schema. What is given as a function, or later, is the host's to
 * check. Throws a TypeError also where there are no options.
 */
export function ensureOursIn(server: object, options: unknown, directiveName: string, caller: string): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`${caller} needs the options of its host as its second argument`);
  if ('schema' in options && isSchema(options.schema)) ensureOurs(server, options.schema, directiveName);
}
