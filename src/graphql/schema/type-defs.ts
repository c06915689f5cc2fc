import {
  type DirectiveNode,
  type DocumentNode,
  Kind,
  type NamedTypeNode,
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
  /** The name of our `User`. */
  userType: string;
  /** Put this directive on the root fields that need a session. Null: none. */
  directiveName: string | null;
}

type AdaptedType = ObjectTypeDefinitionNode | ObjectTypeExtensionNode;

/** Rewrites our SDL to the host's names, as extensions, with the directive on what needs a session. */
export function adaptTypeDefs(
  sdl: string,
  { extendTypeDefs, rootQueryName, rootMutationName, userType, directiveName }: TypeDefsOptions,
  needsSession: ReadonlySet<string>,
): string {
  const names = new Map([
    ['Query', rootQueryName],
    ['Mutation', rootMutationName],
    ['User', userType],
  ]);
  const changesNothing = [...names].every(([ours, given]) => ours === given) && !directiveName;
  if (changesNothing && !extendTypeDefs) return sdl;
  const document = parse(sdl, { noLocation: true });
  refuseTaken(document, names);
  const adapt = <N extends AdaptedType>(node: N): N | undefined => {
    const value = names.get(node.name.value);
    if (value === undefined) return undefined;
    const isRoot = node.name.value !== 'User';
    const fields = node.fields?.map((field) =>
      isRoot && directiveName && needsSession.has(field.name.value)
        ? { ...field, directives: [...(field.directives ?? []), directive(directiveName)] }
        : field,
    );
    return { ...node, name: { ...node.name, value }, ...(fields && { fields }) };
  };
  const rename = (node: NamedTypeNode): NamedTypeNode | undefined => {
    const value = names.get(node.name.value);
    return value === undefined ? undefined : { ...node, name: { ...node.name, value } };
  };
  const adapted = visit(document, {
    NamedType: rename,
    ObjectTypeExtension: adapt,
    ObjectTypeDefinition: (node) => {
      const adaptedType = adapt(node);
      if (!adaptedType || !extendTypeDefs || node.name.value === 'User') return adaptedType;
      const { description: _, ...extension } = adaptedType;
      return { ...extension, kind: Kind.OBJECT_TYPE_EXTENSION };
    },
  });
  return print(adapted);
}

/** Throws a TypeError when a type was given the name of another: two would be merged to one. */
function refuseTaken({ definitions }: DocumentNode, names: ReadonlyMap<string, string>): void {
  const others = definitions.flatMap((node) => ('name' in node && node.name ? [node.name.value] : []));
  const taken = new Set(others.filter((name) => !names.has(name)));
  for (const name of names.values()) {
    if (taken.has(name)) throw new TypeError(`accountsModule: there is another type ${name}`);
    taken.add(name);
  }
}

/** A name by the grammar of GraphQL, without the leading `__` that it keeps for itself. Throws a TypeError. */
export function parseGraphQLName(name: unknown, option: string): string {
  if (typeof name === 'string' && /^(?!__)[_a-zA-Z]\w*$/.test(name)) return name;
  throw new TypeError(`${option} must be a name of GraphQL`);
}

function directive(value: string): DirectiveNode {
  return { kind: Kind.DIRECTIVE, name: { kind: Kind.NAME, value } };
}
