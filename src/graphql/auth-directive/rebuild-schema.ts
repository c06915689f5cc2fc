import {
  type GraphQLFieldConfig,
  GraphQLInterfaceType,
  GraphQLList,
  type GraphQLNamedType,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  type GraphQLType,
  GraphQLUnionType,
  isInterfaceType,
  isIntrospectionType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';

type Field = GraphQLFieldConfig<unknown, unknown>;

/**
 * The schema once more, with what `change` makes, in place, of each field of an object. The given one stays as it is.
 *
 * Not by `mapSchema` of @graphql-tools/utils: its 62 modules made importing this package cost a fifth more. Types of
 * input lead to no object and belong to both schemas.
 */
export function rebuildSchema(
  schema: GraphQLSchema,
  change: (field: Field, fieldName: string, typeName: string) => void,
): GraphQLSchema {
  const rebuilt = new Map<string, GraphQLNamedType>();

  function anew<T extends GraphQLType>(type: T): T;
  function anew(type: GraphQLType): GraphQLType {
    if (isListType(type)) return new GraphQLList(anew(type.ofType));
    if (isNonNullType(type)) return new GraphQLNonNull(anew(type.ofType));
    return rebuilt.get(type.name) ?? type;
  }

  function fieldsAnew<F extends { type: GraphQLType }>(
    fields: Readonly<Record<string, F>>,
  ): Record<string, F> {
    return Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, { ...field, type: anew(field.type) }]),
    );
  }

  function rebuild(type: GraphQLNamedType): GraphQLNamedType {
    if (isObjectType(type)) {
      const { fields, interfaces, ...config } = type.toConfig();
      for (const [name, field] of Object.entries(fields)) change(field, name, type.name);
      return new GraphQLObjectType({
        ...config,
        fields: () => fieldsAnew(fields),
        interfaces: () => interfaces.map(anew),
      });
    }
    if (isInterfaceType(type)) {
      const { fields, interfaces, ...config } = type.toConfig();
      return new GraphQLInterfaceType({
        ...config,
        fields: () => fieldsAnew(fields),
        interfaces: () => interfaces.map(anew),
      });
    }
    if (isUnionType(type)) {
      const { types, ...config } = type.toConfig();
      return new GraphQLUnionType({ ...config, types: () => types.map(anew) });
    }
    return type;
  }

  for (const type of Object.values(schema.getTypeMap()))
    if (!isIntrospectionType(type)) rebuilt.set(type.name, rebuild(type));
  const { query, mutation, subscription, types, ...config } = schema.toConfig();
  return new GraphQLSchema({
    ...config,
    query: query && anew(query),
    mutation: mutation && anew(mutation),
    subscription: subscription && anew(subscription),
    types: types.map(anew),
  });
}
