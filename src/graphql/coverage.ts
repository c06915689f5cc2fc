import { getDirective } from '@graphql-tools/utils';
import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';

export interface CoveredField {
  type: GraphQLObjectType;
  field: GraphQLField<unknown, unknown>;
  isSubscription: boolean;
}

type Declaring = GraphQLObjectType | GraphQLInterfaceType;

/**
 * The fields that a directive stands on: on the field, on its type, or on an interface of the type or a field of
 * that interface. Objects only: whatever a query goes through, it ends at a field of an object.
 */
export function coveredFields(schema: GraphQLSchema, directiveName: string): CoveredField[] {
  const covers = new Map<Declaring, (fieldName: string) => boolean>();
  const coverOf = (type: Declaring) => {
    const cover = covers.get(type) ?? createCover(schema, type, directiveName);
    covers.set(type, cover);
    return cover;
  };
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type))
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) => {
      const declaring = [...withInterfaces(type)].map(coverOf);
      const isSubscription = type === schema.getSubscriptionType();
      return Object.values(type.getFields())
        .filter(({ name }) => declaring.some((covered) => covered(name)))
        .map((field) => ({ type, field, isSubscription }));
    });
}

function createCover(schema: GraphQLSchema, type: Declaring, directiveName: string) {
  const stands = (node: Parameters<typeof getDirective>[1]) =>
    getDirective(schema, node, directiveName) !== undefined;
  const fields = Object.values(type.getFields());
  const covered = new Set((stands(type) ? fields : fields.filter(stands)).map(({ name }) => name));
  return (fieldName: string) => covered.has(fieldName);
}

/** Interfaces of interfaces too: a schema that was not validated need not list them. */
function withInterfaces(type: Declaring, found = new Set<Declaring>()): Set<Declaring> {
  if (found.has(type)) return found;
  found.add(type);
  for (const parent of type.getInterfaces()) withInterfaces(parent, found);
  return found;
}
