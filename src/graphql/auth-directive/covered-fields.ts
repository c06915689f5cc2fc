import {
  type ConstDirectiveNode,
  type FieldDefinitionNode,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
  valueFromASTUntyped,
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

/** What a directive can stand on: a type, its extensions too, or a field. */
interface Element {
  readonly astNode?: Annotated | null | undefined;
  readonly extensionASTNodes?: readonly Annotated[];
  readonly extensions?: object;
}

type Annotated = Pick<FieldDefinitionNode, 'directives'>;

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
    const cover = known.get(type) ?? createCover(type, directiveName);
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

function createCover(type: Declaring, directiveName: string): Cover {
  const standsOn = (element: Element): Requirement | null =>
    together(usesOn(element, directiveName).map((args) => parseRequirement(directiveName, args)));
  const ofType = standsOn(type);
  const cover = Object.values(type.getFields()).flatMap((field): [string, Requirement][] => {
    const requirement = together([ofType, standsOn(field)]);
    return requirement ? [[field.name, requirement]] : [];
  });
  return new Map(cover);
}

/** The arguments of each use of the directive, declared or not: a schema made by code need not declare what it uses. */
function usesOn({ astNode, extensionASTNodes = [], extensions }: Element, directiveName: string): unknown[] {
  const written = [astNode, ...extensionASTNodes]
    .flatMap((node) => node?.directives ?? [])
    .filter(({ name }) => name.value === directiveName);
  return [...written.map(argumentsOf), ...usesMadeByCode(extensions, directiveName)];
}

function argumentsOf({ arguments: args = [] }: ConstDirectiveNode): unknown {
  return Object.fromEntries(args.map(({ name, value }) => [name.value, valueFromASTUntyped(value)]));
}

/** What schemas made by code say: as a list of `{ name, args }`, or by the name the arguments of a use, or of several. */
function usesMadeByCode(extensions: object | undefined, directiveName: string): unknown[] {
  const { directives } = (extensions ?? {}) as { readonly directives?: unknown };
  if (typeof directives !== 'object' || directives === null) return [];
  if (!Array.isArray(directives))
    return Object.hasOwn(directives, directiveName)
      ? [(directives as Record<string, unknown>)[directiveName]].flat()
      : [];
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
