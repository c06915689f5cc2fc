import {
  type DirectiveNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
  print,
  visit,
} from 'graphql';

export interface TypeDefsOptions {
  /** Every definition of the two root types becomes an extension. */
  extendTypeDefs: boolean;
  rootQueryName: string;
  rootMutationName: string;
  /** Put on the fields of the root types that need a session. */
  directiveName: string | null;
}

type RootType = ObjectTypeDefinitionNode | ObjectTypeExtensionNode;

/** Our SDL as the host wants it. */
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

/** A name as GraphQL has them, without the two underscores of its own. */
export function parseName(name: unknown, option: string): string {
  if (typeof name === 'string' && /^(?!__)[_a-zA-Z]\w*$/.test(name)) return name;
  throw new TypeError(`${option} must be a name of GraphQL`);
}

function directive(value: string): DirectiveNode {
  return { kind: Kind.DIRECTIVE, name: { kind: Kind.NAME, value } };
}
