import {
  type DefinitionNode,
  extendSchema,
  type GraphQLNamedType,
  type GraphQLSchema,
  isInputObjectType,
  isObjectType,
  Kind,
  parse,
} from 'graphql';
import type { AccountsModule } from '../module.ts';

/**
 * A schema with our types in it, for one that is written in code. They join as SDL does that is merged: a type of both
 * has the fields of both, and whatever the host has stays as it is. Throws for an operation of ours that the host has
 * already.
 *
 * Not by `mergeSchemas`: it prints the host's schema first, and with graphql 17 that loses default values.
 */
export function joinSchema(
  schema: GraphQLSchema,
  { typeDefs, resolvers }: AccountsModule,
  directiveTypeDefs: string,
  { query, mutation }: { query: string; mutation: string },
): GraphQLSchema {
  const isRootMissing = !schema.getMutationType() && Object.hasOwn(resolvers, mutation);
  const root = isRootMissing ? `extend schema { mutation: ${mutation} }` : '';
  const { definitions } = parse([typeDefs, directiveTypeDefs, root].join('\n'), { noLocation: true });
  const joined = extendSchema(schema, {
    kind: Kind.DOCUMENT,
    definitions: definitions.flatMap((definition) =>
      extending(definition, schema, new Set([query, mutation])),
    ),
  });
  addResolvers(joined, resolvers);
  return joined;
}

/** Resolves, in place, what nobody else resolves. */
export function addResolvers(schema: GraphQLSchema, resolvers: AccountsModule['resolvers']): void {
  for (const [name, fields] of Object.entries(resolvers)) {
    const type = schema.getType(name);
    if (!isObjectType(type)) continue;
    for (const [field, resolve] of Object.entries(fields)) {
      const known = type.getFields()[field];
      if (known) known.resolve ??= resolve;
    }
  }
}

/** A definition as an extension of what the host has under its name, without the fields that are there. */
function extending(
  definition: DefinitionNode,
  schema: GraphQLSchema,
  isRoot: ReadonlySet<string>,
): DefinitionNode[] {
  if (definition.kind === Kind.DIRECTIVE_DEFINITION)
    return schema.getDirective(definition.name.value) ? [] : [definition];
  const theirs = 'name' in definition && definition.name ? schema.getType(definition.name.value) : undefined;
  if (!theirs) return [definition];
  switch (definition.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.OBJECT_TYPE_EXTENSION: {
      const fields = isRoot.has(theirs.name) ? definition.fields : missing(definition.fields, theirs);
      const { description: _, ...extension } = { description: undefined, ...definition };
      return fields?.length ? [{ ...extension, kind: Kind.OBJECT_TYPE_EXTENSION, fields }] : [];
    }
    case Kind.INPUT_OBJECT_TYPE_DEFINITION: {
      const fields = missing(definition.fields, theirs);
      const { description: _, ...extension } = definition;
      return fields.length > 0 ? [{ ...extension, kind: Kind.INPUT_OBJECT_TYPE_EXTENSION, fields }] : [];
    }
    default:
      return [];
  }
}

function missing<N extends { name: { value: string } }>(
  fields: readonly N[] = [],
  theirs: GraphQLNamedType,
): N[] {
  const known = isObjectType(theirs) || isInputObjectType(theirs) ? theirs.getFields() : {};
  return fields.filter(({ name }) => !Object.hasOwn(known, name.value));
}
