import { connect } from 'node:net';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import { Ages, Lease, lease, type Patience } from './lease.ts';

/** What we use of a `pg.Pool`. */
export interface PgPool {
  connect(): Promise<PgClient>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  end(): Promise<void>;
}

interface PgClient {
  readonly host: string;
  readonly port: number;
  /** What the server calls this connection, and what proves that it is ours. */
  readonly processID: unknown;
  readonly secretKey: unknown;
  query(query: PgQuery): Promise<PgResult>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  off(event: 'error', listener: (error: unknown) => void): unknown;
  release(destroy?: boolean): void;
}

interface PgQuery {
  text: string;
  values: readonly unknown[];
  rowMode: 'array';
  types: { getTypeParser(): (value: unknown) => unknown };
}

interface PgResult {
  command: string;
  rowCount: number;
  rows: unknown[];
}

/** Whatever type parsers the host has set: everything is read as text. */
const AS_IT_COMES: PgQuery['types'] = { getTypeParser: () => (value) => value };

const ROLLED_BACK: PgResult = { command: 'ROLLBACK', rowCount: 0, rows: [] };

const watched = new WeakMap<PgPool, Ages<PgClient>>();

/** A pool for Kysely on a pool of pg, which may be the host's, that gets no connection back which may be of no use. */
export function carefulPgPool(pool: PgPool, patience: Patience): PostgresPool {
  const ages = watch(pool);
  const lend = (client: PgClient): Pick<PostgresPoolClient, 'release'> & { query: unknown } => {
    const lent = new Lease(client, ages, { patience, cancel });
    // One that ends between two queries tells it here, and would end the process if nobody listened.
    client.on('error', lent.spoil);
    return {
      query: (text: string, values: readonly unknown[] = []) =>
        lent.query(
          text,
          (to) => to.query({ text, values, rowMode: 'array', types: AS_IT_COMES }),
          isAnswer,
          ROLLED_BACK,
        ),
      release: () => {
        client.off('error', lent.spoil);
        client.release(lent.isSpoilt);
      },
    };
  };
  const lendOne = async (): Promise<PostgresPoolClient> =>
    lend(
      await lease(
        () => pool.connect(),
        (client) => client.release(),
        (client) => client.release(true),
        { ages, patience },
      ),
    ) as PostgresPoolClient;
  return { connect: lendOne, end: async () => undefined } as PostgresPool;
}

/** An idle connection that ends is told to the pool, and would end the process if nobody listened. */
function watch(pool: PgPool): Ages<PgClient> {
  const known = watched.get(pool);
  if (known) return known;
  const ages = new Ages<PgClient>();
  watched.set(pool, ages);
  pool.on('error', () => ages.failed());
  return ages;
}

/** These end the connection, or say that the server is not the one that takes changes. */
const OVER = /^(08|57P|25006|25P03)/;

function isAnswer(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && 'code' in error && !OVER.test(String(error.code));
}

const CANCEL_REQUEST = 80_877_102;
const PATIENCE_TO_CANCEL = 2_000;

/**
 * A server does not see that a connection has gone while it waits for a lock on its behalf. Every retry would leave one
 * more behind it, until the server takes no connections any more, the application's neither.
 */
function cancel({ host, port, processID, secretKey }: PgClient): void {
  if (typeof processID !== 'number' || typeof secretKey !== 'number') return;
  const request = Buffer.alloc(16);
  [16, CANCEL_REQUEST, processID, secretKey].forEach((field, place) => {
    request.writeInt32BE(field, place * 4);
  });
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  socket.on('error', () => {});
  socket.setTimeout(PATIENCE_TO_CANCEL, () => socket.destroy());
  socket.end(request).resume().unref();
}
