import { refusal } from './events.ts';
import type { Report } from './report.ts';

/** What we use of a span of `@opentelemetry/api`. */
export interface TracerSpan {
  setAttribute(key: string, value: string): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(): void;
}

/** What we use of a tracer of `@opentelemetry/api`, written out so that the package is not needed. */
export interface Tracer {
  startActiveSpan<T>(
    name: string,
    options: { attributes?: { [attribute: string]: string } },
    work: (span: TracerSpan) => T,
  ): T;
}

export type SpanName =
  | 'accounts.login'
  | 'accounts.authenticate'
  | 'accounts.refresh'
  | 'accounts.session'
  | 'accounts.hash';

/** Of a span: words of the application's own, and nothing that a client has sent (S46). */
export interface SpanAttributes {
  'accounts.service'?: string;
  'accounts.hash.operation'?: 'hash' | 'verify';
}

/** Does the work inside of a span. */
export type Trace = <T>(name: SpanName, attributes: SpanAttributes, work: () => Promise<T>) => Promise<T>;

/** `SpanStatusCode.ERROR` of `@opentelemetry/api`. */
const ERROR = 2;

const untraced: Trace = (_name, _attributes, work) => work();

/**
 * Spans tell how long something took and with which code it was refused. Never by a message or an exception: those may
 * hold what a client has sent. A tracer that fails is reported, and the work is done all the same, once.
 */
export function createTrace(tracer: Tracer | undefined, report: Report): Trace {
  if (!tracer) return untraced;
  const safely = (call: () => unknown): void => {
    try {
      call();
    } catch (error) {
      report(error, 'the tracer');
    }
  };
  return <T>(name: SpanName, attributes: SpanAttributes, work: () => Promise<T>): Promise<T> => {
    let begun: Promise<T> | null = null;
    // Async, so that what it throws at once is not taken for an error of the tracer.
    const begin = async (): Promise<T> => work();
    safely(() =>
      tracer.startActiveSpan(name, { attributes: { ...attributes } }, (span) => {
        begun ??= begin();
        void begun.then(
          () => safely(() => span.end()),
          (error: unknown) => safely(() => endRefused(span, refusal(error).code)),
        );
      }),
    );
    begun ??= begin();
    return begun;
  };
}

function endRefused(span: TracerSpan, code: string): void {
  try {
    span.setAttribute('error.type', code);
    span.setStatus({ code: ERROR, message: code });
  } finally {
    span.end();
  }
}

export function parseTracer(tracer: unknown): Tracer | undefined {
  if (tracer === undefined) return undefined;
  const { startActiveSpan } = (tracer ?? {}) as Partial<Tracer>;
  if (typeof startActiveSpan !== 'function') throw new TypeError('tracer must be a Tracer of OpenTelemetry');
  return tracer as Tracer;
}
