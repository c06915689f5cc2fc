import { makeExecutableSchema } from '@graphql-tools/schema';
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import {
  assertValidSchema,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInterfaceType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { rebuildSchema } from '../../src/graphql/auth-directive/rebuild-schema.ts';

const TYPE_DEFS = /* GraphQL */ `
  directive @note(text: String = "none", colour: Colour = RED) repeatable on OBJECT | FIELD_DEFINITION | INTERFACE
  "The whole"
  schema { query: Root mutation: Changes subscription: Events }
  interface Thing { id: ID! owner: Person }
  interface Named implements Thing { id: ID! owner: Person name(upper: Boolean = false): String! }
  "Somebody"
  type Person implements Named & Thing @note(text: "of a person") {
    id: ID!
    owner: Person
    name(upper: Boolean = false): String!
    friends(filter: Filter = { colour: RED, depth: { most: 3 } }): [[Person!]!]!
    old: String @deprecated(reason: "gone")
  }
  extend type Person @note(text: "of an extension") { found: [Found] }
  type Stone { weight: Float }
  union Found = Person | Stone
  enum Colour { RED BLUE @deprecated(reason: "sold out") }
  scalar Day @specifiedBy(url: "https://days.example")
  input Filter { colour: Colour = RED depth: Depth again: Filter }
  input Depth { most: Int = 3 }
  type Root { person(id: ID!, on: Day): Person thing: Thing found: Found }
  type Changes { befriend(a: ID!, b: ID!): Person! }
  type Events { found: Found }
`;

const resolvers = {
  Colour: { RED: 0xff0000 },
  Root: { person: () => null },
  Thing: { __resolveType: () => 'Person' },
  Found: { __resolveType: () => 'Stone' },
  Stone: { __isTypeOf: () => true },
};
const make = () => makeExecutableSchema({ typeDefs: TYPE_DEFS, resolvers });

/** Every object, interface and union that something in the schema names, whatever the schema itself knows of it. */
function named(schema: GraphQLSchema): GraphQLNamedType[] {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const inTypes = Object.values(schema.getTypeMap()).flatMap((type): readonly GraphQLNamedType[] => {
    if (isUnionType(type)) return type.getTypes();
    if (!isObjectType(type) && !isInterfaceType(type)) return [];
    const fields = Object.values(type.getFields());
    return [...type.getInterfaces(), ...fields.map((field) => getNamedType(field.type))];
  });
  return [...roots.flatMap((root) => root ?? []), ...inTypes];
}

describe('a rebuilt schema', () => {
  test('says what the given one says, and is valid', () => {
    const schema = make();
    const rebuilt = rebuildSchema(schema, () => {});
    expect(() => assertValidSchema(rebuilt)).not.toThrow();
    expect(printSchemaWithDirectives(rebuilt)).toBe(printSchemaWithDirectives(schema));
    expect(rebuilt.description).toBe('The whole');
  });

  test('S51 leads from nowhere back to a type of the given one, whose fields are as they were', () => {
    const schema = make();
    const rebuilt = rebuildSchema(schema, () => {});
    for (const type of named(rebuilt)) expect(rebuilt.getType(type.name)).toBe(type);
    const own = Object.values(rebuilt.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
    const shared = own.filter((type) => schema.getType(type.name) === type);
    expect(shared.filter((type) => isObjectType(type) || isInterfaceType(type) || isUnionType(type))).toEqual(
      [],
    );
  });

  test('has what is made of each field of an object, and the given one has not', () => {
    const schema = make();
    const before = schema.getQueryType()?.getFields().person?.resolve;
    const seen: string[] = [];
    const rebuilt = rebuildSchema(schema, (field, fieldName, typeName) => {
      seen.push(`${typeName}.${fieldName}`);
      field.resolve = () => 'changed';
      field.extensions = { ...field.extensions, changed: true };
    });
    expect(seen.sort()).toEqual(
      ['Changes.befriend', 'Events.found', 'Stone.weight', 'Root.person', 'Root.thing', 'Root.found']
        .concat(['id', 'owner', 'name', 'friends', 'old', 'found'].map((name) => `Person.${name}`))
        .sort(),
    );
    const person = rebuilt.getQueryType()?.getFields().person;
    expect(person?.resolve?.({}, {}, {}, {} as never)).toBe('changed');
    expect(person?.extensions).toMatchObject({ changed: true });
    expect(schema.getQueryType()?.getFields().person?.resolve).toBe(before);
    expect(schema.getQueryType()?.getFields().person?.extensions).not.toHaveProperty('changed');
  });

  test('keeps how types are told apart, and what the values of an enum are inside', () => {
    const rebuilt = rebuildSchema(make(), () => {});
    const [thing, found, stone, colour] = ['Thing', 'Found', 'Stone', 'Colour'].map((name) =>
      rebuilt.getType(name),
    );
    expect(isInterfaceType(thing) && thing.resolveType).toBe(resolvers.Thing.__resolveType);
    expect(isUnionType(found) && found.resolveType).toBe(resolvers.Found.__resolveType);
    expect(isObjectType(stone) && stone.isTypeOf).toBe(resolvers.Stone.__isTypeOf);
    expect(isEnumType(colour) && colour.getValue('RED')?.value).toBe(0xff0000);
  });
});
