import { DirectiveLocation, type GraphQLDirective, type GraphQLSchema } from 'graphql';

const LOCATIONS: readonly string[] = [
  DirectiveLocation.FIELD_DEFINITION,
  DirectiveLocation.OBJECT,
  DirectiveLocation.INTERFACE,
];

/** By this the directive is known as ours, whatever its name. */
const DESCRIPTION = 'Only logged-in users reach the fields that this covers (graphql-accounts).';

export function writeDefinition(name: string): string {
  return `"${DESCRIPTION}"\ndirective @${name} on ${LOCATIONS.join(' | ')}`;
}

/** The names under which the directive of this library was declared in a schema. */
export function declaredNames(schema: GraphQLSchema): string[] {
  return schema
    .getDirectives()
    .filter(({ description }) => description === DESCRIPTION)
    .map(({ name }) => name);
}

/**
 * Throws a TypeError when a directive of our name is more than we implement. `@auth(requires: ADMIN)` would let every
 * user pass, and `@auth` on a union would do nothing.
 */
export function refuseForeign(schema: GraphQLSchema, name: string): void {
  const definition = schema.getDirective(name);
  const excess = definition ? excessOf(definition) : [];
  if (excess.length > 0) throw foreign(name, `is declared with ${excess.join(', ')}`);
}

export function foreign(name: string, problem: string): TypeError {
  return new TypeError(
    `@${name} ${problem}, which would be ignored. Give ours another name (directiveName), or declare it as ` +
      `"directive @${name} on ${LOCATIONS.join(' | ')}".`,
  );
}

function excessOf({ args, locations }: GraphQLDirective): string[] {
  return [
    ...args.map(({ name }) => `the argument ${name}`),
    ...locations.filter((location) => !LOCATIONS.includes(location)).map((name) => `the location ${name}`),
  ];
}
