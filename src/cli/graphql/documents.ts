import {
  type ASTNode,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { DOCUMENT_BOUNDS } from './bounds.ts';
import { excessOf } from './document-size.ts';
import { coded, cutNames } from './public-errors.ts';

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

/** Documents of one schema. */
export interface Documents {
  /** Throws a GraphQLError for what is no document. */
  parse(text: string): DocumentNode;
  /** What is wrong with it; nothing, for one that may be executed. */
  validate(document: DocumentNode): readonly GraphQLError[];
}

/**
 * Parses and validates within the bounds, and remembers the valid documents it has seen: of others anybody can make as
 * many as they like. Its errors tell where something is wrong and repeat nothing that may be a value: whoever forgets
 * the quotes around a password must not find it in a log (S45).
 */
export function createDocuments(schema: GraphQLSchema, { introspection }: DocumentOptions): Documents {
  const known = new RecentDocuments();
  const valid = new WeakSet<DocumentNode>();
  const rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];

  function check(document: DocumentNode): readonly GraphQLError[] {
    const excess = excessOf(document, DOCUMENT_BOUNDS);
    if (excess) return [coded('GRAPHQL_VALIDATION_FAILED', excess)];
    const errors = validate(schema, document, rules, { maxErrors: MAX_ERRORS });
    return errors.map((error) => withoutValues(error, introspection));
  }

  return {
    parse: (text) => known.get(text) ?? parseWithin(text),
    validate(document) {
      if (valid.has(document)) return [];
      const errors = check(document);
      if (errors.length > 0) return errors;
      valid.add(document);
      known.add(document);
      return errors;
    },
  };
}

function parseWithin(text: string): DocumentNode {
  const { characters, tokens: maxTokens } = DOCUMENT_BOUNDS;
  if (text.length > characters) {
    throw coded('GRAPHQL_PARSE_FAILED', `The document has more than ${characters} characters.`);
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
    throw coded('GRAPHQL_PARSE_FAILED', message, { source, positions });
  }
}

function withoutValues(error: GraphQLError, suggestions: boolean): GraphQLError {
  const nodes: readonly ASTNode[] = error.nodes ?? [];
  const message = messageFor(error, nodes);
  const told = suggestions ? message : message.replace(/ Did you mean .*$/s, '');
  return coded('GRAPHQL_VALIDATION_FAILED', cutNames(told), { nodes });
}

function messageFor(error: GraphQLError, nodes: readonly ASTNode[]): string {
  if (nodes.some(({ kind }) => NODES_OF_VALUES.has(kind)))
    return 'An argument or a value does not fit the schema.';
  // Of the rules that point at bare names, all others are about names that must be unique.
  if (error.message.startsWith('Unknown fragment ')) return error.message;
  if (nodes.some(({ kind }) => kind === Kind.NAME)) return 'A name that must be unique stands here twice.';
  return error.message;
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
