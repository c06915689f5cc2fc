import { AccountsError } from '../../errors.ts';

/** How long, in milliseconds, a connection and an answer are waited for. */
export interface Patience {
  connection: number;
  answer: number;
}

/**
 * What `work` comes to, or SERVICE_UNAVAILABLE after `patience` milliseconds. What comes later is handed to `late`, so
 * that a connection that nobody waits for any more goes back to its pool.
 */
export async function inTime<T>(
  patience: number,
  what: string,
  work: Promise<T>,
  late: (result: T) => void = () => {},
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    const cause = new Error(`${what} took longer than ${patience} ms`);
    reject(new AccountsError('SERVICE_UNAVAILABLE', undefined, { cause }));
  }, patience);
  work.then(
    (result) => {
      if (isLate) late(result);
    },
    () => {},
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Knows which connections are older than the last failure of the way to the server. They may be as dead, and each would
 * be silent for as long as our patience is before it is known.
 */
export class Ages<C extends object> {
  readonly #born = new WeakMap<C, number>();
  #failures = 0;

  failed(): void {
    this.#failures++;
  }

  isStale(connection: C): boolean {
    const born = this.#born.get(connection);
    if (born === undefined) this.#born.set(connection, this.#failures);
    return born !== undefined && born < this.#failures;
  }
}

/**
 * A connection that is lent by a pool. It is spoilt by a failure that is no answer of the server, and by silence: then
 * it takes no more queries and is destroyed at its end, because a pool would hand it to the next one.
 */
export class Lease<C extends object> {
  readonly #connection: C;
  readonly #ages: Ages<C>;
  readonly #patience: Patience;
  readonly #cancel: (connection: C) => void;
  #spoilt: unknown = null;

  /** `cancel` asks the server to give up a query for whose answer nobody waits any more. */
  constructor(
    connection: C,
    ages: Ages<C>,
    { patience, cancel = () => {} }: { patience: Patience; cancel?: (connection: C) => void },
  ) {
    this.#connection = connection;
    this.#ages = ages;
    this.#patience = patience;
    this.#cancel = cancel;
  }

  get isSpoilt(): boolean {
    return this.#spoilt !== null;
  }

  /** `rolledBack` is what a ROLLBACK comes to on a spoilt connection: its end is one. */
  async query<T>(
    sql: string,
    ask: (connection: C) => Promise<T>,
    isAnswer: (error: unknown) => boolean,
    rolledBack: T,
  ): Promise<T> {
    if (this.isSpoilt) {
      if (sql === 'rollback') return rolledBack;
      throw this.#spoilt;
    }
    try {
      return await inTime(this.#patience.answer, 'a query', ask(this.#connection));
    } catch (error) {
      if (error instanceof AccountsError) this.#cancel(this.#connection);
      if (!isAnswer(error)) this.spoil(error);
      throw error;
    }
  }

  spoil = (error: unknown): void => {
    if (this.isSpoilt) return;
    this.#spoilt = error;
    this.#ages.failed();
  };
}

/** A connection that is no older than the last failure. */
export async function lease<C extends object>(
  acquire: () => Promise<C>,
  release: (connection: C) => void,
  destroy: (connection: C) => void,
  { ages, patience }: { ages: Ages<C>; patience: Patience },
): Promise<C> {
  for (;;) {
    const connection = await inTime(patience.connection, 'a connection', acquire(), release);
    if (!ages.isStale(connection)) return connection;
    destroy(connection);
  }
}
