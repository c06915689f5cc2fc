import {
  type DirectiveNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
  print,
  visit,
} from 'graphql';

interface TypeDefsOptions {
  /** Turn every definition of the two root types into an extension. */
  extendTypeDefs: boolean;
  rootQueryName: string;
  rootMutationName: string;
  /** Put this directive on the root fields that need a session. Null: none. */
  directiveName: string | null;
}

type RootType = ObjectTypeDefinitionNode | ObjectTypeExtensionNode;

/** Rewrites our SDL to the host's names, as extensions, with the directive on what needs a session. */
export function adaptTypeDefs(
  sdl: string,
  { extendTypeDefs, rootQueryName, rootMutationName, directiveName }: TypeDefsOptions,
  needsSession: ReadonlySet<string>,
): string {
  const names = new Map([
    ['Query', rootQueryName],
    ['Mutation', rootMutationName],
  ]);
  const changesNothing = rootQueryName === 'Query' && rootMutationName === 'Mutation' && !directiveName;
  if (changesNothing && !extendTypeDefs) return sdl;
  const adapt = <N extends RootType>(node: N): N | undefined => {
    const value = names.get(node.name.value);
    if (value === undefined) return undefined;
    const fields = node.fields?.map((field) =>
      directiveName && needsSession.has(field.name.value)
        ? { ...field, directives: [...(field.directives ?? []), directive(directiveName)] }
        : field,
    );
    return { ...node, name: { ...node.name, value }, ...(fields && { fields }) };
  };
  const adapted = visit(parse(sdl, { noLocation: true }), {
    ObjectTypeExtension: adapt,
    ObjectTypeDefinition: (node) => {
      const root = adapt(node);
      if (!root || !extendTypeDefs) return root;
      const { description: _, ...extension } = root;
      return { ...extension, kind: Kind.OBJECT_TYPE_EXTENSION };
    },
  });
  return print(adapted);
}

/** A name by the grammar of GraphQL, without the leading `__` that it keeps for itself. Throws a TypeError. */
export function parseGraphQLName(name: unknown, option: string): string {
  if (typeof name === 'string' && /^(?!__)[_a-zA-Z]\w*$/.test(name)) return name;
  throw new TypeError(`${option} must be a name of GraphQL`);
}

function directive(value: string): DirectiveNode {
  return { kind: Kind.DIRECTIVE, name: { kind: Kind.NAME, value } };
}
