import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  type OperationDefinitionNode,
} from 'graphql';
import type { Report } from '../../core/report.ts';
import { ERROR_MESSAGES } from '../../errors.ts';
import { createDocuments } from './documents.ts';
import type { NodeContext } from './node-context.ts';
import type { GraphQLParams } from './params.ts';
import { coded, cutNames, publicResult } from './public-errors.ts';

/** What came of an operation. */
interface Outcome {
  result: ExecutionResult;
  /** Null: it was executed, however well. */
  refused: Refusal | null;
}

/** Why nothing was executed: the document is none of ours, the request does not fit it, or this failed. */
export type Refusal = 'document' | 'request' | 'method' | 'failure';

export interface OperationsOptions {
  schema: GraphQLSchema;
  /** What resolvers find beside request and response. */
  context(holder: NodeContext): object | Promise<object>;
  introspection: boolean;
  report: Report;
  /** Hears of each operation before it is executed. */
  onExecute?:
    | ((holder: NodeContext, operation: OperationDefinitionNode, document: DocumentNode) => void)
    | undefined;
}

/** Executes operations of one schema within bounds. What the function throws is a mistake of ours. */
export function createOperations({
  schema,
  context,
  introspection,
  report,
  onExecute,
}: OperationsOptions): (params: GraphQLParams, holder: NodeContext) => Promise<Outcome> {
  const documents = createDocuments(schema, { introspection });

  return async ({ query, operationName, variables }, holder) => {
    const document = documentOf(query);
    if (document instanceof GraphQLError) return refuse('document', document);
    const operation = getOperationAST(document, operationName);
    if (!operation) return refuse('request', coded('BAD_REQUEST', NO_SUCH_OPERATION));
    if (operation.operation === 'mutation' && holder.req.method === 'GET')
      return refuse('method', coded('BAD_REQUEST', 'A mutation is asked by POST.'));
    const invalid = documents.validate(document);
    if (invalid.length > 0) return refuse('document', ...invalid);
    // The rules of graphql 16 let it pass, and its execution throws.
    if (!schema.getRootType(operation.operation))
      return refuse('document', coded('GRAPHQL_VALIDATION_FAILED', `There is no ${operation.operation}.`));
    const misfit = firstVariableError(schema, operation, variables);
    if (misfit) return refuse('request', misfit);
    onExecute?.(holder, operation, document);
    try {
      const found = context(holder);
      const contextValue = { ...holder, ...(found instanceof Promise ? await found : found) };
      const args = { schema, document, contextValue, operationName, variableValues: variables };
      return { refused: null, result: publicResult(await execute(args), report) };
    } catch (error) {
      report(error, 'a GraphQL operation');
      return refuse('failure', coded('INTERNAL_SERVER_ERROR', ERROR_MESSAGES.INTERNAL_SERVER_ERROR));
    }
  };

  function documentOf(query: string): DocumentNode | GraphQLError {
    try {
      return documents.parse(query);
    } catch (error) {
      if (error instanceof GraphQLError) return error;
      throw error;
    }
  }
}

const NO_SUCH_OPERATION = 'The request does not say which operation of the document it asks for.';

function refuse(refused: Refusal, ...errors: GraphQLError[]): Outcome {
  return { refused, result: { errors } };
}

/**
 * The first error in the variables. It is looked for here because execution goes on to the fiftieth, and each prints
 * the whole value that it is about.
 */
function firstVariableError(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Record<string, unknown> = {},
): GraphQLError | undefined {
  if (variableDefinitions.length === 0) return undefined;
  const { errors } = getVariableValues(schema, variableDefinitions, variables, { maxErrors: 1 });
  const [error] = errors ?? [];
  if (!error) return undefined;
  const [named] = (error.nodes ?? []).filter((node) => node.kind === 'VariableDefinition');
  // Its name stands in the document, where its value does not.
  const name = named && cutNames(`"$${named.variable.name.value}"`);
  const message = name ? `The variable ${name} does not fit its type.` : ERROR_MESSAGES.BAD_USER_INPUT;
  return coded('BAD_USER_INPUT', message, { nodes: error.nodes });
}
