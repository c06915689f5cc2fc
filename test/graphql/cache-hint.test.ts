import { makeExecutableSchema } from '@graphql-tools/schema';
import { type GraphQLFieldResolver, graphql, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { authDirective } from '../../src/graphql/auth-directive/index.ts';
import { createContext } from '../../src/graphql/context.ts';
import { accountsModule } from '../../src/graphql/module.ts';
import { createAccounts } from '../accounts.ts';

interface Hint {
  maxAge?: number;
  scope?: 'PRIVATE' | 'PUBLIC';
}

/** An API of which Apollo Server would say, field by field, who may keep its answers. */
async function start() {
  const accounts = createAccounts();
  const { typeDefs, resolvers } = accountsModule(accounts.server);
  const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
  const SDL =
    'type Query { hello: String, diary: String @auth, box: Box } type Box { open: String, kept: String @auth }';
  const schema = authDirectiveTransformer(
    makeExecutableSchema({
      typeDefs: [typeDefs, authDirectiveTypeDefs, SDL],
      resolvers: [
        resolvers,
        { Query: { hello: () => 'world', diary: () => 'mine', box: () => ({ open: 'o', kept: 'k' }) } },
      ],
    }),
  );
  const hints: Record<string, Hint> = {};
  /** Apollo Server wraps every resolver, outside of whatever else does. */
  const hinted =
    (path: string, resolve: GraphQLFieldResolver<unknown, unknown>): typeof resolve =>
    (parent, args, context, info) => {
      const hint: Hint = { maxAge: 60 };
      hints[path] = hint;
      const restrict = ({ maxAge = 60, scope = 'PUBLIC' }: Hint): void => {
        hint.maxAge = Math.min(maxAge, 60);
        if (scope === 'PRIVATE') hint.scope = scope;
      };
      return resolve(
        parent,
        args,
        context,
        Object.assign(info, { cacheControl: { cacheHint: { restrict } } }),
      );
    };
  for (const type of Object.values(schema.getTypeMap()).filter(isObjectType))
    for (const field of Object.values(type.getFields()))
      if (field.resolve) field.resolve = hinted(`${type.name}.${field.name}`, field.resolve);
  await accounts.signUp({ username: 'ada' });
  const { tokens } = await accounts.logIn('ada');
  return async (source: string, token: string | null = tokens.accessToken): Promise<typeof hints> => {
    for (const path of Object.keys(hints)) delete hints[path];
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    const contextValue = await createContext(accounts.server)({ headers } as never);
    await graphql({ schema, source, contextValue });
    return { ...hints };
  };
}

test('S50 S51 an answer that depends on who asks is not for everybody, by the hints of Apollo Server', async () => {
  const hintsOf = await start();
  expect(await hintsOf('{ hello box { open } }')).toEqual({
    'Query.hello': { maxAge: 60 },
    'Query.box': { maxAge: 60 },
  });
  for (const token of [undefined, null]) {
    expect(await hintsOf('{ diary }', token)).toEqual({ 'Query.diary': { maxAge: 60, scope: 'PRIVATE' } });
    expect((await hintsOf('{ box { kept } }', token))['Box.kept']).toEqual({ maxAge: 60, scope: 'PRIVATE' });
  }
});

test('S50 what our operations answer is not kept at all, by the hints of Apollo Server', async () => {
  const hintsOf = await start();
  const never = { maxAge: 0, scope: 'PRIVATE' };
  for (const token of [undefined, null])
    expect((await hintsOf('{ getUser { id } }', token))['Query.getUser']).toEqual(never);
  expect(await hintsOf('mutation { logout }')).toEqual({ 'Mutation.logout': never });
});
