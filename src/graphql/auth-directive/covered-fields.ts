import { getDirective } from '@graphql-tools/utils';
import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import { foreign } from './definition.ts';

export interface CoveredField {
  type: GraphQLObjectType;
  field: GraphQLField<unknown, unknown>;
  isSubscription: boolean;
}

type Declaring = GraphQLObjectType | GraphQLInterfaceType;

/**
 * Every field that the directive covers: it stands on the field itself, on the field's type, on an interface of that
 * type, or on the same field of such an interface. Lists fields of objects only: whatever a query goes through, it
 * ends at a field of an object.
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
  const stands = (node: Parameters<typeof getDirective>[1]) => {
    const uses = getDirective(schema, node, directiveName);
    // A schema made by code need not declare what it uses.
    if (uses?.some((args) => Object.keys(args ?? {}).length > 0))
      throw foreign(directiveName, 'has arguments');
    return uses !== undefined;
  };
  const fields = Object.values(type.getFields());
  const covered = new Set((stands(type) ? fields : fields.filter(stands)).map(({ name }) => name));
  return (fieldName: string) => covered.has(fieldName);
}

/** A type and its interfaces, theirs too: a schema that was not validated need not list those. */
function withInterfaces(type: Declaring, found = new Set<Declaring>()): Set<Declaring> {
  if (found.has(type)) return found;
  found.add(type);
  for (const parent of type.getInterfaces()) withInterfaces(parent, found);
  return found;
}
