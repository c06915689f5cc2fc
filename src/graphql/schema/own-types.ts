import {
  type DefinitionNode,
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isUnionType,
  Kind,
  type Location,
  parse,
  type Source,
  type TypeNode,
} from 'graphql';
import { ofEveryCopy } from '../every-copy.ts';

/** The type definitions that were made of a server, each with its name for our `User`. */
const modules = ofEveryCopy('modules', () => new WeakMap<object, Map<string, string>>());

export function noteOwnTypes(server: object, typeDefs: string, userType: string): void {
  modules.set(server, (modules.get(server) ?? new Map()).set(typeDefs, userType));
}

/**
 * Throws a TypeError where a type of the host's has taken the place of one of ours, or was merged with it to something
 * that our operations cannot be used with. What the host has
 * added by an extension is no such thing.
 */
export function ensureOwnTypes(server: object, schema: GraphQLSchema): void {
  const getUser = schema.getQueryType()?.getFields().getUser;
  for (const [typeDefs, userType] of modules.get(server) ?? []) {
    // Without it, or with another user, this is a schema that was made of something else.
    if (!getUser || getNamedType(getUser.type).name !== userType) continue;
    for (const definition of parse(typeDefs, { noLocation: true }).definitions) {
      const problem = problemWith(definition, schema);
      const wayOut = problem?.startsWith(`${userType} `) ? ', or ours by userType of accountsModule' : '';
      if (problem !== null) throw new TypeError(`${problem}: rename yours${wayOut}.`);
    }
  }
}

function problemWith(definition: DefinitionNode, schema: GraphQLSchema): string | null {
  const kind = KINDS.get(definition.kind);
  if (!kind || !('name' in definition) || !definition.name) return null;
  const { value: name } = definition.name;
  const theirs = schema.getType(name);
  if (!theirs || theirs === schema.getQueryType() || theirs === schema.getMutationType()) return null;
  const found = kindOf(theirs);
  if (found !== kind) return `${name} is both ${kind} of accountsModule and ${found} of this schema`;
  const fields = 'fields' in definition ? (definition.fields ?? []) : [];
  const taken = fields.find((field) => isTaken(field, theirs));
  if (taken) return `${name} of accountsModule has in this schema another field ${taken.name.value}`;
  const merged = definition.kind === Kind.OBJECT_TYPE_DEFINITION && mergedField(theirs, fields);
  if (!merged) return null;
  return `${name} of accountsModule was merged with another ${name}, which has ${merged} (write "extend type ${name}" to add to ours)`;
}

interface OwnField {
  readonly name: { readonly value: string };
  readonly type: TypeNode;
}

/** Whether a field of ours has a type that is not ours. A schema may have left it out. */
function isTaken(field: OwnField, type: GraphQLNamedType): boolean {
  if (!isObjectType(type) && !isInputObjectType(type)) return false;
  const theirs = type.getFields()[field.name.value];
  return theirs !== undefined && getNamedType(theirs.type).name !== nameOf(field.type);
}

/**
 * A field that came with another definition of the type, and not with an extension: the objects of the host would be
 * asked for our fields, and ours for the host's. Merged, the two look alike; the text that they were made of does not.
 */
function mergedField(type: GraphQLNamedType, ours: readonly OwnField[]): string | undefined {
  if (!isObjectType(type)) return undefined;
  const own = new Set(ours.map(({ name }) => name.value));
  const foreign = Object.values(type.getFields()).filter(({ name }) => !own.has(name));
  return foreign.find(({ astNode }) => astNode?.loc && isOfOtherDefinition(astNode.loc, type.name, own))
    ?.name;
}

/** A schema of many fields may be made of one text. */
const parsed = new WeakMap<Source, DocumentNode>();

function isOfOtherDefinition(
  { source, start }: Location,
  typeName: string,
  own: ReadonlySet<string>,
): boolean {
  const document = parsed.get(source) ?? parse(source);
  parsed.set(source, document);
  return document.definitions.some(
    (definition) =>
      definition.kind === Kind.OBJECT_TYPE_DEFINITION &&
      definition.name.value === typeName &&
      contains(definition.loc, start) &&
      // Ours, printed together with what the host had added to it.
      !(definition.fields ?? []).some(({ name }) => name.value !== 'id' && own.has(name.value)),
  );
}

function contains(loc: Location | undefined, place: number): boolean {
  return loc !== undefined && loc.start <= place && place < loc.end;
}

function nameOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameOf(type.type);
}

const KINDS: ReadonlyMap<string, string> = new Map([
  [Kind.OBJECT_TYPE_DEFINITION, 'an object type'],
  [Kind.OBJECT_TYPE_EXTENSION, 'an object type'],
  [Kind.INPUT_OBJECT_TYPE_DEFINITION, 'an input type'],
  [Kind.SCALAR_TYPE_DEFINITION, 'a scalar'],
]);

function kindOf(type: GraphQLNamedType): string {
  if (isObjectType(type)) return 'an object type';
  if (isInputObjectType(type)) return 'an input type';
  if (isScalarType(type)) return 'a scalar';
  if (isInterfaceType(type)) return 'an interface';
  return isUnionType(type) ? 'a union' : 'an enum';
}
