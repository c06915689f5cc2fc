import type { IncomingMessage } from 'node:http';
import { type DocumentNode, type ExecutionResult, Kind, type OperationDefinitionNode } from 'graphql';
import type { AccessLog } from '../http/access-log.ts';
import type { NodeContext } from './node-context.ts';

const MAX_FIELDS = 5;

/**
 * Tells the access log which fields of the schema a request asked for, and with which codes it was refused. Names that
 * a client makes up (of operations, aliases, fragments) are left out: they can hold anything.
 */
export function operationLog(accessLog: AccessLog) {
  const described = new WeakMap<OperationDefinitionNode, string>();
  return {
    onExecute({ req }: NodeContext, operation: OperationDefinitionNode, document: DocumentNode): void {
      const known = described.get(operation);
      const description = known ?? describe(operation, document);
      if (known === undefined) described.set(operation, description);
      accessLog.annotate(req, { operation: description });
    },
    onResult(req: IncomingMessage, { errors = [] }: ExecutionResult): void {
      if (errors.length === 0) return;
      accessLog.annotate(req, {
        errors: [...new Set(errors.map(({ extensions }) => String(extensions?.code)))],
      });
    },
  };
}

function describe({ operation, selectionSet }: OperationDefinitionNode, document: DocumentNode): string {
  const names = new Set<string>();
  const seen = new Set<string>();
  const visit = ({ selections }: typeof selectionSet): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) names.add(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet);
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const named = document.definitions.find(
          (definition) =>
            definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === selection.name.value,
        );
        if (named && 'selectionSet' in named && named.selectionSet) visit(named.selectionSet);
      }
    }
  };
  visit(selectionSet);
  const fields = [...names];
  const more = fields.length > MAX_FIELDS ? ', …' : '';
  return `${operation} ${fields.slice(0, MAX_FIELDS).join(', ')}${more}`;
}
