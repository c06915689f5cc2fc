import type { AccountsServer } from '../core/accounts-server.ts';
import { refuseUnknown } from '../core/known-options.ts';
import { flag } from '../core/option-checks.ts';
import type { AccountsService, Services } from '../core/service.ts';
import type { User } from '../core/user.ts';
import { ACCOUNTS_SDL } from '../generated/sdl.ts';
import { type AccountsResolver, createResolvers } from './resolvers.ts';
import { noteOwnTypes } from './schema/own-types.ts';
import { adaptTypeDefs, parseGraphQLName } from './schema/type-defs.ts';
import { checkServer } from './server-argument.ts';

export interface AccountsModuleOptions {
  /** Write `extend type Query` in place of `type Query`, for hosts that do not merge types. Off by default. */
  extendTypeDefs?: boolean | undefined;
  /** `Query` by default. */
  rootQueryName?: string | undefined;
  /** `Mutation` by default. */
  rootMutationName?: string | undefined;
  /** The name of our `User`, for hosts that have one of their own. `User` by default. */
  userType?: string | undefined;
  /**
   * Writes the directive of that name on our fields that need a session, so that the schema tells who may use them.
   * They refuse strangers with and without it. None by default: then the host need not declare it.
   */
  directiveName?: string | undefined;
}

export interface AccountsModule {
  /** The type definitions, as SDL. */
  typeDefs: string;
  resolvers: { [type: string]: { [field: string]: AccountsResolver } };
}

const MICRO_SDL = 'type Query {\n  _accounts_core: String\n}\n';

const KNOWN: { readonly [option in keyof Required<AccountsModuleOptions>]: true } = {
  extendTypeDefs: true,
  rootQueryName: true,
  rootMutationName: true,
  userType: true,
  directiveName: true,
};

/** The options of accounts-js's modules that have no place here, and why. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['withSchemaDefinition', 'the host owns its schema: write `schema { query: … }` there'],
  ['userAsInterface', 'User is a type: add fields with `extend type User`, or rename it (userType)'],
  ['micro', 'it is an option of AccountsServer'],
]);

/**
 * The type definitions and resolvers of an accounts server and of its services, for a schema of one's own.
 *
 * ```ts
 * const accounts = accountsModule(accountsServer);
 * const schema = makeExecutableSchema({
 *   typeDefs: [accounts.typeDefs, myTypeDefs],
 *   resolvers: [accounts.resolvers, myResolvers],
 * });
 * ```
 *
 * A server in micro mode has no operations, and one field that is null, as in accounts-js. Throws a TypeError
 * for an unknown option, and without a server.
 */
export function accountsModule<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  options: AccountsModuleOptions = {},
): AccountsModule {
  checkServer(server, 'accountsModule');
  refuseUnknown(options, KNOWN, 'accountsModule', REFUSED);
  const {
    rootQueryName = 'Query',
    rootMutationName = 'Mutation',
    userType = 'User',
    directiveName,
  } = options;
  const adapting = {
    extendTypeDefs: flag(options.extendTypeDefs, false, 'extendTypeDefs'),
    rootQueryName: parseGraphQLName(rootQueryName, 'rootQueryName'),
    rootMutationName: parseGraphQLName(rootMutationName, 'rootMutationName'),
    userType: parseGraphQLName(userType, 'userType'),
    directiveName: directiveName === undefined ? null : parseGraphQLName(directiveName, 'directiveName'),
  };
  if (server.micro) {
    return { typeDefs: adaptTypeDefs(MICRO_SDL, adapting, new Set()), resolvers: {} };
  }
  const operations = Object.values<AccountsService>(server.services).flatMap((service) =>
    service.operations ? [service.operations] : [],
  );
  const sdl = [ACCOUNTS_SDL, ...operations.map(({ typeDefs }) => typeDefs)].join('\n');
  const needsSession = new Set(operations.flatMap((service) => service.needsSession ?? []));
  const { Query, Mutation, User } = createResolvers(server);
  const typeDefs = adaptTypeDefs(sdl, adapting, needsSession);
  noteOwnTypes(server, typeDefs, userType);
  return {
    typeDefs,
    resolvers: {
      [rootQueryName]: Query,
      [rootMutationName]: Mutation,
      ...(Object.keys(User).length > 0 && { [userType]: User }),
    },
  };
}
