import { describeError } from './redaction.ts';

export type LogLevel = 'error' | 'warn' | 'info';

/**
 * What the log tells of one request. No text in it is taken over as the client wrote it: the path is redacted, the
 * operation is told by the fields of our schema, the errors by our codes.
 */
export interface RequestEntry {
  method: string;
  path: string;
  status: number;
  /** How long it took, in milliseconds. */
  duration: number;
  ip: string | null;
  /** The fields of the schema that were asked for. */
  operation?: string | undefined;
  /** The codes of the errors in the answer. */
  errors?: readonly string[] | undefined;
  aborted?: true | undefined;
}

export interface Log {
  /** Whether `request` writes anything; if not, callers need not measure requests. */
  readonly requests: boolean;
  request(entry: RequestEntry): void;
  info(message: string): void;
  /** Writes at every level: for where the server is. */
  announce(message: string): void;
  warn(message: string): void;
  /** Writes an error that no caller sees. */
  failure(error: unknown, where: string): void;
  /** Writes what is still held back. */
  flush(): void;
}

interface LogOptions {
  level: LogLevel;
  /** Short lines for people instead of JSON. */
  readable: boolean;
  write(text: string): unknown;
}

const RANK = { error: 0, warn: 1, info: 2 } as const;

/** Makes a log that writes the lines of one turn of the event loop together. */
export function createLog({ level, readable, write }: LogOptions): Log {
  let held = '';
  const flush = (): void => {
    const text = held;
    held = '';
    if (text !== '') write(text);
  };
  const put = (line: string): void => {
    if (held === '') setImmediate(flush);
    held += `${line}\n`;
  };
  const format = readable ? readableLine : jsonLine;
  const at = (lineLevel: LogLevel, message: string, fields: object = {}): void => {
    if (RANK[lineLevel] <= RANK[level]) put(format(lineLevel, message, fields));
  };
  return {
    requests: level === 'info',
    request: (entry) => put(readable ? readableRequest(entry) : jsonLine('info', 'request', entry)),
    info: (message) => at('info', message),
    announce: (message) => put(format('info', message, {})),
    warn: (message) => at('warn', message),
    failure: (error, where) => at('error', where, describeError(error)),
    flush,
  };
}

function jsonLine(level: LogLevel, message: string, fields: object): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
}

function readableLine(level: LogLevel, message: string, fields: object): string {
  const told = Object.values(fields).flat().join(' ');
  return `${clock()} ${level}: ${message}${told && `: ${told}`}`;
}

function readableRequest(entry: RequestEntry): string {
  const { method, path, status, duration, ip, operation, errors = [], aborted } = entry;
  const told = [operation, ...errors, aborted && 'aborted'].filter(Boolean).join(' ');
  return `${clock()} ${method} ${path} ${status} ${duration} ms ${ip ?? '-'}${told && ` ${told}`}`;
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}
