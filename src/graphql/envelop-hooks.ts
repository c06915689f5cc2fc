import type { ExecutionResult, GraphQLError } from 'graphql';

/** The hooks of an Envelop or Yoga plugin that we use, written out so that neither package is needed for its types. */
export interface AccountsPlugin {
  onPluginInit(payload?: { plugins?: readonly unknown[] | undefined }): void;
  onSchemaChange(payload: { schema: unknown }): void;
  onContextBuilding(payload: {
    context: object;
    extendContext(extension: object): void;
  }): void | Promise<void>;
  onExecute(payload: OperationPayload): { onExecuteDone(payload: DonePayload): EachResult | undefined };
  onSubscribe(payload: OperationPayload): {
    onSubscribeResult(payload: DonePayload): EachResult | undefined;
    onSubscribeError(payload: { error: unknown; setError(error: unknown): void }): void;
  };
  onRequest(payload: { request: Request }): void;
  onRequestParse(payload: { request: Request }): void;
  onResponse(payload: ResponsePayload): void;
  /**
   * The id of a request's session, or null for nobody: by what a cache may keep answers. It is what the operations of
   * the request will hear, by the same look-up.
   */
  sessionId(request: Request, serverContext?: object): Promise<string | null>;
}

export interface OperationPayload {
  args: { schema: unknown; contextValue?: unknown };
  setResultAndStopExecution(result: { errors: GraphQLError[] }): void;
}

export interface ResultPayload {
  result: unknown;
  setResult(result: ExecutionResult): void;
}

export interface DonePayload extends ResultPayload {
  args?: { contextValue?: unknown };
}

/** What Envelop calls for each result of a stream. */
export interface EachResult {
  onNext(payload: ResultPayload): void;
}

interface ResponsePayload {
  request: Request;
  serverContext: unknown;
  response: Response;
  setResponse(response: Response): void;
  fetchAPI: { Response: typeof Response };
}
