import { getDirective } from '@graphql-tools/utils';
import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import { parseRequirement, type Requirement, SESSION, strictest } from './requirement.ts';

export interface CoveredField {
  type: GraphQLObjectType;
  field: GraphQLField<unknown, unknown>;
  isSubscription: boolean;
  /** The strictest of all that cover the field. */
  requirement: Requirement;
}

type Declaring = GraphQLObjectType | GraphQLInterfaceType;

/** What each covered field of a type must keep, by the name of the field. */
type Cover = ReadonlyMap<string, Requirement>;

/**
 * Every field that the directive covers: it stands on the field itself, on the field's type, on an interface of that
 * type, or on the same field of such an interface. Lists fields of objects only: whatever a query goes through, it
 * ends at a field of an object.
 */
export function coveredFields(schema: GraphQLSchema, directiveName: string): CoveredField[] {
  const known = new Map<Declaring, Cover>();
  const coverOf = (type: Declaring): Cover => {
    const cover = known.get(type) ?? createCover(schema, type, directiveName);
    known.set(type, cover);
    return cover;
  };
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type))
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) => {
      const declaring = [...withInterfaces(type)].map(coverOf);
      const isSubscription = type === schema.getSubscriptionType();
      return Object.values(type.getFields()).flatMap((field) => {
        const requirement = together(declaring.map((cover) => cover.get(field.name)));
        return requirement ? [{ type, field, isSubscription, requirement }] : [];
      });
    });
}

function createCover(schema: GraphQLSchema, type: Declaring, directiveName: string): Cover {
  const standsOn = (node: Parameters<typeof getDirective>[1]): Requirement | null => {
    // A schema made by code need not declare what it uses.
    const uses = [...(getDirective(schema, node, directiveName) ?? []), ...listedUses(node, directiveName)];
    return together(uses.map((args) => parseRequirement(directiveName, args)));
  };
  const ofType = standsOn(type);
  const cover = Object.values(type.getFields()).flatMap((field): [string, Requirement][] => {
    const requirement = together([ofType, standsOn(field)]);
    return requirement ? [[field.name, requirement]] : [];
  });
  return new Map(cover);
}

/** What schemas made by code say as a list of `{ name, args }`, of which `getDirective` sees nothing. */
function listedUses({ extensions }: { readonly extensions?: object }, directiveName: string): unknown[] {
  const { directives } = (extensions ?? {}) as { readonly directives?: unknown };
  if (!Array.isArray(directives)) return [];
  const uses = directives as readonly ({ readonly name?: unknown; readonly args?: unknown } | null)[];
  return uses.filter((use) => use?.name === directiveName).map((use) => use?.args);
}

/** Null where nothing covers. */
function together(requirements: readonly (Requirement | null | undefined)[]): Requirement | null {
  const given = requirements.filter((requirement) => requirement !== null && requirement !== undefined);
  return given.length > 0 ? given.reduce(strictest, SESSION) : null;
}

/** A type and its interfaces, theirs too: a schema that was not validated need not list those. */
function withInterfaces(type: Declaring, found = new Set<Declaring>()): Set<Declaring> {
  if (found.has(type)) return found;
  found.add(type);
  for (const parent of type.getInterfaces()) withInterfaces(parent, found);
  return found;
}
