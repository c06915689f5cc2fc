import { context, type Tracer as OtelTracer, SpanStatusCode } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import type { Tracer } from '../../src/index.ts';
import { codeOf, createAccounts, fastHashes, PASSWORD } from '../accounts.ts';

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

function createTracer() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const names = () => exporter.getFinishedSpans().map(({ name }) => name);
  return { exporter, tracer: provider.getTracer('test'), names };
}

async function start(options = {}, passwordOptions = fastHashes) {
  const traced = createTracer();
  const accounts = createAccounts({ tracer: traced.tracer, ...options }, passwordOptions);
  const id = await accounts.signUp({ email: 'ada@example.com' });
  traced.exporter.reset();
  return { ...traced, ...accounts, id };
}

function only(exporter: InMemorySpanExporter, name: string): ReadableSpan {
  const found = exporter.getFinishedSpans().filter((span) => span.name === name);
  expect(found).toHaveLength(1);
  return found[0] as ReadableSpan;
}

describe('spans', () => {
  test('a tracer of @opentelemetry/api fits', () => {
    expectTypeOf<OtelTracer>().toExtend<Tracer>();
    expect(() => createAccounts({ tracer: {} as Tracer })).toThrow(TypeError);
    expect(() => createAccounts({ tracer: null as unknown as Tracer })).toThrow(TypeError);
  });

  test('a login holds the check of its password', async () => {
    const { exporter, logIn } = await start();
    await logIn('ada@example.com');
    const login = only(exporter, 'accounts.login');
    const hash = only(exporter, 'accounts.hash');
    expect(login.attributes).toEqual({ 'accounts.service': 'password' });
    expect(login.status.code).toBe(SpanStatusCode.UNSET);
    expect(hash.attributes).toEqual({ 'accounts.hash.operation': 'verify' });
    expect(hash.parentSpanContext?.spanId).toBe(login.spanContext().spanId);
    expect(hash.spanContext().traceId).toBe(login.spanContext().traceId);
  });

  test('are in the trace of the request that they belong to', async () => {
    const { exporter, tracer, server, logIn } = await start();
    const { tokens } = await logIn('ada@example.com');
    exporter.reset();
    const roots = await Promise.all(
      [1, 2, 3].map((number) =>
        tracer.startActiveSpan(`request ${number}`, async (span) => {
          await server.resumeSession(tokens.accessToken);
          span.end();
          return span.spanContext();
        }),
      ),
    );
    // One query for the three look-ups, and a span for each: a span is of one trace.
    const sessions = exporter.getFinishedSpans().filter(({ name }) => name === 'accounts.session');
    expect(sessions.map(({ parentSpanContext }) => parentSpanContext?.spanId).sort()).toEqual(
      roots.map(({ spanId }) => spanId).sort(),
    );
  });

  test('are made of a refresh, a renewed proof and a sign-up too', async () => {
    const { exporter, server, service, logIn, names } = await start();
    const { tokens } = await logIn('ada@example.com');
    exporter.reset();
    const params = { user: 'ada@example.com', password: PASSWORD };
    await server.authenticateWithService('password', params, {}, tokens);
    expect(names()).toEqual(['accounts.session', 'accounts.hash', 'accounts.authenticate']);
    exporter.reset();
    await server.refreshTokens(tokens.accessToken, tokens.refreshToken);
    expect(names()).toEqual(['accounts.refresh']);
    exporter.reset();
    await service.createUser({ email: 'grace@example.com', password: PASSWORD }, {});
    expect(only(exporter, 'accounts.hash').attributes).toEqual({ 'accounts.hash.operation': 'hash' });
  });

  test('are not made where nothing is looked up', async () => {
    const { exporter, server, logIn, names } = await start({ useStatelessSession: true });
    const { tokens } = await logIn('ada@example.com');
    exporter.reset();
    await server.resumeRequester(tokens.accessToken);
    expect(names()).toEqual([]);
    await server.resumeSession(tokens.accessToken);
    expect(names()).toEqual(['accounts.session']);
  });

  test('tell why something was refused by its code', async () => {
    const { exporter, server, logIn } = await start();
    await codeOf(logIn('ada@example.com', 'a wrong password'));
    const login = only(exporter, 'accounts.login');
    expect(login.status).toEqual({ code: SpanStatusCode.ERROR, message: 'INVALID_CREDENTIALS' });
    expect(login.attributes).toEqual({
      'accounts.service': 'password',
      'error.type': 'INVALID_CREDENTIALS',
    });
    // A wrong password is no failure of hashing.
    expect(only(exporter, 'accounts.hash').status.code).toBe(SpanStatusCode.UNSET);
    expect(exporter.getFinishedSpans().flatMap(({ events }) => events)).toEqual([]);
    const { tokens } = await logIn('ada@example.com');
    await server.logout(tokens.accessToken);
    exporter.reset();
    await codeOf(server.resumeSession(tokens.accessToken));
    expect(only(exporter, 'accounts.session').attributes).toEqual({ 'error.type': 'UNAUTHENTICATED' });
  });

  test('S7 are the same for a wrong password and for nobody', async () => {
    const { exporter, logIn } = await start();
    const told = async (user: string) => {
      exporter.reset();
      await codeOf(logIn(user, 'a wrong password'));
      return exporter
        .getFinishedSpans()
        .map(({ name, attributes, status }) => ({ name, attributes, status }));
    };
    expect(await told('nobody@example.com')).toEqual(await told('ada@example.com'));
  });

  test('S46 hold no password, address, name, token or code, nor what somebody sends for a service', async () => {
    const secrets: string[] = ['ada@example.com', 'canary-name', PASSWORD, 'canary-service', 'canary-code'];
    const { exporter, server, service, logIn, linkTo, db, id } = await start(
      {},
      {
        ...fastHashes,
        verifyPassword: async (typed: string, hash: string) => {
          if (typed === 'canary-throws') throw new Error(`canary-text ${hash}`);
          return fastHashes.verifyPassword(typed, hash);
        },
      },
    );
    await service.setUsername(id, 'canary-name').catch(() => {});
    const { tokens, sessionId } = await logIn('ada@example.com');
    secrets.push(tokens.accessToken, tokens.refreshToken, sessionId, id, 'canary-text');
    await codeOf(logIn('canary-name', 'canary-throws'));
    await codeOf(server.loginWithService('canary-service', { code: 'canary-code' }));
    await codeOf(server.loginWithService({ canary: 'canary-service' } as unknown as string, {}));
    await server.resumeSession(tokens.accessToken);
    await codeOf(server.resumeSession('canary-code'));
    await service.sendResetPasswordEmail('ada@example.com');
    const reset = await linkTo('ada@example.com', 'reset-password');
    secrets.push(reset);
    await codeOf(service.resetPassword(reset, 'another password of ada'));
    const broken = async () => Promise.reject(new Error('canary-text of a driver'));
    Object.assign(db.sessions, { findMany: broken, findWithUsers: broken });
    await codeOf(server.refreshTokens(tokens.accessToken, tokens.refreshToken));
    const spans = exporter.getFinishedSpans();
    expect(spans.length).toBeGreaterThan(8);
    const told = JSON.stringify(
      spans.map(({ name, attributes, status, events, links }) => ({
        name,
        attributes,
        status,
        events,
        links,
      })),
    );
    expect(told).toContain('SERVICE_UNAVAILABLE');
    expect(secrets.filter((secret) => told.includes(secret))).toEqual([]);
  });
});

describe('a tracer that fails', () => {
  const span = { setAttribute() {}, setStatus() {}, end() {} };
  const fails = (): never => {
    throw new Error('no spans today');
  };
  const broken: { what: string; tracer: Tracer }[] = [
    { what: 'throws at once', tracer: { startActiveSpan: fails } },
    {
      what: 'throws when the work has begun',
      tracer: {
        startActiveSpan: (_name, _options, work) => {
          work(span);
          return fails();
        },
      },
    },
    {
      what: 'throws at every call of a span',
      tracer: {
        startActiveSpan: (_name, _options, work) =>
          work({ setAttribute: fails, setStatus: fails, end: fails }),
      },
    },
    {
      what: 'begins the work too late',
      tracer: {
        startActiveSpan: (_name, _options, work) => {
          queueMicrotask(() => void work(span));
          return undefined as never;
        },
      },
    },
    {
      what: 'begins the work twice',
      tracer: {
        startActiveSpan: (_name, _options, work) => {
          work(span);
          return work(span);
        },
      },
    },
  ];

  test.each(broken)('and $what breaks no login, and none is done twice', async ({ tracer }) => {
    let checks = 0;
    const { server, logIn, signUp } = createAccounts(
      { tracer },
      {
        ...fastHashes,
        verifyPassword: async (typed: string, hash: string) => {
          checks++;
          return fastHashes.verifyPassword(typed, hash);
        },
      },
    );
    let logins = 0;
    server.on('LoginSuccess', () => logins++);
    const id = await signUp({ email: 'ada@example.com' });
    const { tokens } = await logIn('ada@example.com');
    expect((await server.resumeSession(tokens.accessToken)).id).toBe(id);
    expect({ checks, logins }).toEqual({ checks: 1, logins: 1 });
    expect(await codeOf(logIn('ada@example.com', 'a wrong password'))).toBe('INVALID_CREDENTIALS');
  });

  test('is reported', async () => {
    const { errors, signUp } = createAccounts({ tracer: { startActiveSpan: fails } });
    await signUp({ email: 'ada@example.com' });
    expect(errors.map(({ where }) => where)).toContain('the tracer');
  });
});
