import { DirectiveLocation, type GraphQLArgument, type GraphQLDirective, type GraphQLSchema } from 'graphql';

const LOCATIONS: readonly string[] = [
  DirectiveLocation.FIELD_DEFINITION,
  DirectiveLocation.OBJECT,
  DirectiveLocation.INTERFACE,
];

/** The arguments, with their types as SDL. */
const ARGUMENTS: ReadonlyMap<string, string> = new Map([
  ['maxAge', 'Int'],
  ['secondFactor', 'Boolean'],
]);

/** By this the directive is known as ours, whatever its name. */
const DESCRIPTION = 'Only logged-in users reach the fields that this covers (graphql-accounts).';

export function writeDefinition(name: string): string {
  return `"${DESCRIPTION}"\n${declaration(name)}`;
}

function declaration(name: string): string {
  const args = [...ARGUMENTS].map(([argument, type]) => `${argument}: ${type}`).join(', ');
  return `directive @${name}(${args}) on ${LOCATIONS.join(' | ')}`;
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
      `"${declaration(name)}".`,
  );
}

function excessOf({ args, locations }: GraphQLDirective): string[] {
  return [
    ...args.filter((arg) => !isOurs(arg)).map(({ name }) => `the argument ${name}`),
    ...locations.filter((location) => !LOCATIONS.includes(location)).map((name) => `the location ${name}`),
  ];
}

/** A default would hold where the schema knows of it, and nowhere else. */
function isOurs({ name, type, defaultValue, ...rest }: GraphQLArgument): boolean {
  const hasDefault = defaultValue !== undefined || ('default' in rest && rest.default !== undefined);
  return ARGUMENTS.get(name) === String(type) && !hasDefault;
}
