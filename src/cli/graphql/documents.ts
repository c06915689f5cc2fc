import {
  type ASTNode,
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  type Source,
  specifiedRules,
  validate,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { type AccountsErrorCode, ERROR_MESSAGES } from '../../errors.ts';
import { DOCUMENT_BOUNDS } from './bounds.ts';
import { excessOf } from './document-size.ts';
import { cutNames, REFUSED_DOCUMENT } from './public-errors.ts';

interface DocumentOptions {
  /** Show the schema, and suggest names that exist for those that do not. */
  introspection: boolean;
}

/** The longest document that is remembered. Documents differ in size, so the cache is bounded by characters. */
const MAX_CACHED_LENGTH = 8 * 1024;
const MAX_CACHED_CHARACTERS = 256 * 1024;
/** What the shortest document costs beside its characters: so there are never more than a thousand. */
const CACHED_OVERHEAD = 262;
const MAX_ERRORS = 20;

const BAD_VARIABLES = { code: 'BAD_USER_INPUT', http: { status: 400 } };

/** Where a wrong value can stand, or something that was meant to be one. */
const NODES_OF_VALUES: ReadonlySet<string> = new Set([
  Kind.STRING,
  Kind.INT,
  Kind.FLOAT,
  Kind.ENUM,
  Kind.BOOLEAN,
  Kind.NULL,
  Kind.LIST,
  Kind.OBJECT,
  Kind.OBJECT_FIELD,
  Kind.ARGUMENT,
]);

/**
 * Parses and validates within the bounds, and remembers the valid documents it has seen: of others anybody can make as
 * many as they like. Its errors tell where something is
 * wrong and repeat nothing that may be a value: whoever forgets the quotes around a password must not find it in a log
 * (S45).
 */
export function useDocuments(options: DocumentOptions): Plugin {
  const documents = createDocuments(options);
  return {
    onParse: ({ setParseFn }) => setParseFn(documents.parse),
    onValidate: ({ setValidationFn }) => setValidationFn(documents.validate),
    onExecute: ({ args, setResultAndStopExecution }) => {
      const error = firstVariableError(args);
      if (error) setResultAndStopExecution({ errors: [error] });
    },
  };
}

function createDocuments({ introspection }: DocumentOptions) {
  const known = new RecentDocuments();
  const valid = new WeakSet<DocumentNode>();
  const rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];

  function check(schema: GraphQLSchema, document: DocumentNode): readonly GraphQLError[] {
    const excess = excessOf(document, DOCUMENT_BOUNDS);
    if (excess) return [new GraphQLError(excess, { extensions: invalid('GRAPHQL_VALIDATION_FAILED') })];
    const errors = validate(schema, document, rules, { maxErrors: MAX_ERRORS });
    return errors.map((error) => withoutValues(error, introspection));
  }

  return {
    parse(source: string | Source): DocumentNode {
      const text = typeof source === 'string' ? source : source.body;
      return known.get(text) ?? parseWithin(text);
    },
    validate(schema: GraphQLSchema, document: DocumentNode): readonly GraphQLError[] {
      if (valid.has(document)) return [];
      const errors = check(schema, document);
      if (errors.length > 0) return errors;
      valid.add(document);
      known.add(document);
      return errors;
    },
  };
}

/**
 * The first error in the variables. It is looked for here because execution goes on to the fiftieth, and each prints
 * the whole value that it is about. What it says comes from `usePublicErrors`.
 */
function firstVariableError(args: ExecutionArgs): GraphQLError | undefined {
  const definitions = getOperationAST(args.document, args.operationName)?.variableDefinitions ?? [];
  if (definitions.length === 0) return undefined;
  const { errors } = getVariableValues(args.schema, definitions, args.variableValues ?? {}, { maxErrors: 1 });
  const [error] = errors ?? [];
  return (
    error &&
    new GraphQLError(ERROR_MESSAGES.BAD_USER_INPUT, { nodes: error.nodes, extensions: BAD_VARIABLES })
  );
}

function parseWithin(text: string): DocumentNode {
  const { characters, tokens: maxTokens } = DOCUMENT_BOUNDS;
  if (text.length > characters) {
    throw new GraphQLError(`The document has more than ${characters} characters.`, {
      extensions: invalid('GRAPHQL_PARSE_FAILED'),
    });
  }
  try {
    return parse(text, { maxTokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { line, column } = error.locations?.[0] ?? { line: 1, column: 1 };
    const message = /contains more tha[nt] \d+ tokens/.test(error.message)
      ? `The document has more than ${maxTokens} tokens.`
      : `Syntax error at line ${line}, column ${column}.`;
    const { source, positions } = error;
    throw new GraphQLError(message, { source, positions, extensions: invalid('GRAPHQL_PARSE_FAILED') });
  }
}

function withoutValues(error: GraphQLError, suggestions: boolean): GraphQLError {
  const nodes: readonly ASTNode[] = error.nodes ?? [];
  const message = messageFor(error, nodes);
  return new GraphQLError(cutNames(suggestions ? message : message.replace(/ Did you mean .*$/s, '')), {
    nodes,
    extensions: invalid('GRAPHQL_VALIDATION_FAILED'),
  });
}

function messageFor(error: GraphQLError, nodes: readonly ASTNode[]): string {
  if (nodes.some(({ kind }) => NODES_OF_VALUES.has(kind)))
    return 'An argument or a value does not fit the schema.';
  // Of the rules that point at bare names, all others are about names that must be unique.
  if (error.message.startsWith('Unknown fragment ')) return error.message;
  if (nodes.some(({ kind }) => kind === Kind.NAME)) return 'A name that must be unique stands here twice.';
  return error.message;
}

/** The extensions of an error in the document itself. */
function invalid(code: AccountsErrorCode) {
  return { code, http: REFUSED_DOCUMENT };
}

/** The documents that were asked for last, by their text, up to MAX_CACHED_CHARACTERS in all. */
class RecentDocuments {
  readonly #documents = new Map<string, DocumentNode>();
  #characters = 0;

  get(text: string): DocumentNode | undefined {
    const document = this.#documents.get(text);
    if (!document) return undefined;
    this.#documents.delete(text);
    this.#documents.set(text, document);
    return document;
  }

  add(document: DocumentNode): void {
    const text = document.loc?.source.body;
    // Two that were sent at once are one.
    if (text === undefined || text.length > MAX_CACHED_LENGTH || this.#documents.has(text)) return;
    this.#documents.set(text, document);
    this.#characters += CACHED_OVERHEAD + text.length;
    for (const oldest of this.#documents.keys()) {
      if (this.#characters <= MAX_CACHED_CHARACTERS) break;
      this.#documents.delete(oldest);
      this.#characters -= CACHED_OVERHEAD + oldest.length;
    }
  }
}
