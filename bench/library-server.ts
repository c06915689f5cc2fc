// graphql-accounts as an application uses it, with options that `serve` has no variable for, and a store whose calls
// are counted: node bench/library-server.ts OPTION FOLDER [VARIABLE=VALUE …]
import { makeExecutableSchema } from '@graphql-tools/schema';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { graphqlEndpoint } from '../src/cli/graphql/endpoint.ts';
import { createHttpServer, listen } from '../src/cli/http/server.ts';
import { openStores } from '../src/cli/stores/open-stores.ts';
import { contextReader } from '../src/graphql/context.ts';
import {
  AccountsServer,
  accountsModule,
  authDirective,
  password,
  type Tracer,
  useAccounts,
} from '../src/index.ts';
import { serveBench } from './children.ts';
import { configOf } from './config.ts';
import { countCalls } from './count-calls.ts';
import { tunedYoga } from './tuned-yoga.ts';

const [option = '', folder = '.', ...settings] = process.argv.slice(2);
const config = configOf(folder, settings);
const { db, tokenSecret } = await openStores(config);
const { counted, calls } = countCalls(db);
const accounts = new AccountsServer(
  {
    db: counted,
    tokenSecret,
    useStatelessSession: config.stateless,
    rateLimits: false,
    tracer: option === 'tracer' ? createTracer() : undefined,
    createJwtPayload:
      option === 'createJwtPayload'
        ? async (_data, user) => ({ name: user.username, roles: ['reader', 'writer'] })
        : undefined,
  },
  { password: password() },
);
let heard = 0;
if (option === 'events') {
  accounts.on('ResumeSessionSuccess', () => heard++);
  accounts.on('RefreshTokensSuccess', () => heard++);
}
const { typeDefs, resolvers } = accountsModule(accounts);
const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
const schema = makeExecutableSchema({ typeDefs: [typeDefs, authDirectiveTypeDefs], resolvers });
const served = authDirectiveTransformer(schema);
const endpoint = graphqlEndpoint({
  schema: served,
  context: contextReader('bench', accounts, { loadUser: option === 'loadUser' }),
  introspection: false,
  trustedOrigins: [],
  graphiql: null,
  accessLog: null,
  report: (error, where) => console.error(where, error),
});
const server = option === 'yoga' ? tunedYoga(served, [useAccounts(accounts)]) : createHttpServer(endpoint);
serveBench(await listen(server, 0, '127.0.0.1'), {
  /** Of the store, since it was asked last. */
  calls,
  /** What may pile up with the requests. */
  resources: () => ({
    listeners: [server, process].reduce(
      (sum, emitter) =>
        sum + emitter.eventNames().reduce((all, name) => all + emitter.listenerCount(name), 0),
      0,
    ),
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'Immediate')
      .length,
    heard,
  }),
});

/** Spans as an application with OpenTelemetry makes them, sent nowhere. */
function createTracer(): Tracer {
  const nowhere: SpanExporter = {
    export: (_spans, done) => done({ code: 0 }),
    shutdown: async () => {},
  };
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(nowhere)] }),
  );
  return trace.getTracer('bench');
}
