import { assertSchema, type GraphQLSchema } from 'graphql';
import { parseGraphQLName } from '../schema/type-defs.ts';
import { type CoveredField, coveredFields } from './covered-fields.ts';
import { declaredNames, refuseForeign, writeDefinition } from './definition.ts';
import { endField, type GuardedField, guardField, isGuarded } from './guard.ts';
import { rebuildSchema } from './rebuild-schema.ts';
import type { Requirement } from './requirement.ts';

export interface AuthDirective {
  authDirectiveTypeDefs: string;
  authDirectiveTransformer: (schema: GraphQLSchema) => GraphQLSchema;
}

/** Left on every field that we guard, for `ensureGuards`. A string: graphql 16 drops symbols. */
const MARK = 'graphqlAccountsGuarded';

/**
 * `@auth`: only logged-in users reach the field. It protects data against whoever can write a query, so it holds at
 * the field itself and not at one way to it: under aliases and fragments, behind a union, through an interface, with
 * `@defer`, in a batch, in `_entities`. On an object it covers every field; on an interface or one of its fields,
 * the same fields of every type that implements it; on a subscription, nothing starts for a stranger. A stranger gets
 * the error UNAUTHENTICATED, or SERVICE_UNAVAILABLE while the store fails, and never the field's value.
 *
 * `@auth(maxAge: 300)` lets nobody through whose proof of who they are is older than 300 seconds: RECENT_LOGIN_REQUIRED,
 * until `verifyAuthentication` has renewed it. `@auth(secondFactor: true)` asks for a session of two factors:
 * TWO_FACTOR_REQUIRED, without a challenge. Where several cover a field, the strictest holds.
 *
 * ```ts
 * const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
 * const schema = authDirectiveTransformer(
 *   makeExecutableSchema({ typeDefs: [authDirectiveTypeDefs, typeDefs], resolvers }),
 * );
 * ```
 *
 * The directive does nothing by itself: the transformer guards the fields. Apply it last, to the whole schema;
 * applying it again changes nothing. It throws a TypeError when the directive is declared with other arguments or for
 * other places, which it would ignore. `useAccounts` refuses a schema on which it was forgotten.
 */
export function authDirective(directiveName: string = 'auth'): AuthDirective {
  const name = parseGraphQLName(directiveName, 'directiveName');
  return {
    authDirectiveTypeDefs: writeDefinition(name),
    authDirectiveTransformer: (schema) => {
      // Says so where two copies of graphql are at work.
      assertSchema(schema);
      refuseForeign(schema, name);
      const covered = new Map<string, Map<string, Requirement>>();
      for (const { type, field, requirement } of coveredFields(schema, name)) {
        covered.set(type.name, (covered.get(type.name) ?? new Map()).set(field.name, requirement));
      }
      const subscription = schema.getSubscriptionType()?.name;
      return rebuildSchema(schema, (field, fieldName, typeName) => {
        const requirement = covered.get(typeName)?.get(fieldName);
        if (requirement) {
          guardField(field, typeName === subscription, requirement);
          field.extensions = { ...field.extensions, [MARK]: true };
        } else if (typeName === subscription) endField(field);
      });
    },
  };
}

/**
 * Makes sure that every field under the directive has a guard, also where ours was declared under another name than
 * the plugin was told. Throws a TypeError that names those which the transformer never saw.
 *
 * A field that the transformer guarded may have another resolver by now: another tool wrapped ours, or replaced it.
 * The two look the same from here, so such a field is guarded once more, in place. That costs the first nothing and
 * closes the second.
 */
export function ensureGuards(schema: GraphQLSchema, directiveName: string): void {
  for (const name of new Set([directiveName, ...declaredNames(schema)])) ensureGuardsOf(schema, name);
}

function ensureGuardsOf(schema: GraphQLSchema, directiveName: string): void {
  refuseForeign(schema, directiveName);
  const open: string[] = [];
  for (const { type, field, isSubscription, requirement } of coveredFields(schema, directiveName)) {
    if (isGuarded(field as GuardedField, isSubscription, requirement)) continue;
    if (isMarked(field)) guardField(field as GuardedField, isSubscription, requirement);
    else open.push(`${type.name}.${field.name}`);
  }
  if (open.length === 0) return;
  const named = open.slice(0, 5).join(', ') + (open.length > 5 ? ` and ${open.length - 5} more` : '');
  throw new TypeError(
    `@${directiveName} stands in the schema but was not applied to ${named}: anybody could read them. Pass the ` +
      'schema through authDirectiveTransformer. If the directive is not ours, give ours another name (directiveName).',
  );
}

function isMarked(field: CoveredField['field']): boolean {
  return field.extensions[MARK] === true;
}
