import type { GraphQLSchema } from 'graphql';

interface SchemaJudge {
  /** Throws what is wrong with the schema, and remembers nothing. */
  check(schema: unknown): void;
  /** Whether something is wrong with it, which is reported the first time. */
  isRefused(schema: unknown): boolean;
}

/** Judges each schema once. Every operation asks for the verdict, so the last schema that passed is kept at hand. */
export function createSchemaJudge(
  ensure: (schema: GraphQLSchema) => void,
  report: (error: unknown) => void,
): SchemaJudge {
  const verdicts = new WeakMap<object, boolean>();
  let accepted: unknown;
  const check = (schema: unknown): void => ensure(schema as GraphQLSchema);
  const judge = (schema: object): boolean => {
    try {
      check(schema);
      return true;
    } catch (error) {
      report(error);
      return false;
    }
  };
  const isRefused = (schema: unknown): boolean => {
    if (schema === accepted) return false;
    if (typeof schema !== 'object' || schema === null) return true;
    const isGood = verdicts.get(schema) ?? judge(schema);
    verdicts.set(schema, isGood);
    if (isGood) accepted = schema;
    return !isGood;
  };
  return { check, isRefused };
}
