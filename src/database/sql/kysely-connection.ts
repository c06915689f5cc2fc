import type { Dialect, Kysely } from 'kysely';
import { type Connection, closedError, play, type Steps, untilDone } from './connection.ts';
import type { SqlDialect } from './dialect.ts';
import { withoutValues } from './failures.ts';
import type { Patience } from './lease.ts';
import { type Query, type Result, toDriver } from './statement.ts';

type KyselyModule = typeof import('kysely');

/** Where the connections come from. */
export interface ConnectionSource {
  open(kysely: KyselyModule, patience: Patience): Dialect | Promise<Dialect>;
  /** Whether it can be opened only once: two on one SQLite connection would slip into each other's transactions. */
  opensOnce?: boolean;
  /** Ends the pool, if it is ours. */
  close(): Promise<void>;
}

/** Longer than any migration. */
const AN_HOUR = 3_600_000;

interface Opened {
  db: Kysely<unknown>;
  perform(db: Kysely<unknown>, query: Query): Promise<Result>;
}

export function kyselyConnection(
  dialect: SqlDialect,
  source: ConnectionSource,
  { patience }: { patience: number },
): Connection {
  let closing: Promise<void> | null = null;

  const opener = (answer: number): (() => Promise<Opened>) => {
    let opened: Promise<Opened> | null = null;
    const open = async (): Promise<Opened> => {
      const kysely = await import('kysely');
      const db = new kysely.Kysely<unknown>({
        dialect: await source.open(kysely, { connection: patience, answer }),
      });
      return { db, perform: (on, query) => perform(kysely, dialect, on, query) };
    };
    return async () => {
      if (closing) throw closedError();
      opened ??= open().catch((error: unknown) => {
        opened = null;
        throw error;
      });
      return opened;
    };
  };
  const open = opener(patience);
  const openForMigration = source.opensOnce ? open : opener(AN_HOUR);

  const transactOn = async <T>(opening: () => Promise<Opened>, steps: () => Steps<T>): Promise<T> => {
    const { db, perform: performOn } = await opening();
    return untilDone(dialect, patience, async () => {
      const transaction =
        dialect.name === 'SQLite' ? db.transaction() : db.transaction().setIsolationLevel('read committed');
      return transaction.execute((trx) => play(steps(), (query) => performOn(trx, query)));
    });
  };

  return {
    dialect,
    run: async (query) => {
      const { db, perform: performOn } = await open();
      return untilDone(dialect, patience, () => performOn(db, query));
    },
    transact: (steps) => transactOn(open, steps),
    migrate: (steps) => transactOn(openForMigration, steps),
    close: () => {
      closing ??= source.close();
      return closing;
    },
  };
}

async function perform(
  { CompiledQuery }: KyselyModule,
  dialect: SqlDialect,
  db: Kysely<unknown>,
  query: Query,
): Promise<Result> {
  const { sql, parameters } = toDriver(dialect, query);
  try {
    const { rows, numAffectedRows } = await db.executeQuery(CompiledQuery.raw(sql, parameters));
    return { rows: rows.map(toArray), changed: Number(numAffectedRows ?? 0n) };
  } catch (error) {
    if (query.statement.mayBeThere && dialect.isDuplicate(error)) return { rows: [], changed: 0 };
    throw withoutValues(error);
  }
}

/** Our own pools give arrays, a dialect of the host's gives objects. */
function toArray(row: unknown): unknown[] {
  if (Array.isArray(row)) return row;
  return Object.values(row as object);
}
