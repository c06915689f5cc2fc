import { randomBytes } from 'node:crypto';
import mongoose, { type Connection, type ConnectOptions } from 'mongoose';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type MongooseOptions, mongooseDatabase } from '../../src/database/mongoose/index.ts';
import type { AccountsDatabase } from '../../src/database/ports.ts';
import { freshDatabase, startMongo } from '../servers/mongo.ts';
import type { TestServer } from '../servers/process.ts';
import { exercised } from '../stores.ts';

interface Command {
  commandName: string;
  command: { readonly [field: string]: unknown; readonly $readPreference?: object };
}

/** What is asked of the server from now on through a connection that has `monitorCommands`. */
export function commandsOf(connection: Connection): Command[] {
  const commands: Command[] = [];
  connection.getClient().on('commandStarted', (event) => commands.push(event));
  return commands;
}

/** A server for the tests of one file, with connections to databases of their own; each test's are dropped at its end. */
export function onMongo() {
  let server: TestServer | null = null;
  let shared: Connection | null = null;
  let opened: Connection[] = [];
  let own: Connection[] = [];

  beforeAll(async () => {
    server = await startMongo();
    exercised('MongoDB');
  }, 300_000);
  afterEach(async () => {
    for (const connection of opened) await connection.dropDatabase();
    for (const connection of own) await connection.close();
    [opened, own] = [[], []];
  });
  afterAll(async () => {
    await shared?.close();
    await server?.close();
  });

  const url = (): string => {
    if (!server) throw new Error('there is no server');
    return freshDatabase(server.url);
  };

  return {
    url,
    /** The URL by which the database of a connection is opened again. */
    sameDatabase: ({ name }: Connection): string => url().replace(/test_[0-9a-f]+/, name),
    /** A connection of its own to a database that nobody has used. */
    async connect(options: ConnectOptions = {}, base: mongoose.Mongoose = mongoose): Promise<Connection> {
      const connection = await base.createConnection(url(), options).asPromise();
      opened.push(connection);
      own.push(connection);
      return connection;
    },
    /** The same, through sockets that all tests share. */
    async database(): Promise<Connection> {
      shared ??= await mongoose.createConnection(url()).asPromise();
      const connection = shared.useDb(`test_${randomBytes(8).toString('hex')}`);
      opened.push(connection);
      return connection;
    },
    async open(options: MongooseOptions = {}): Promise<{ db: AccountsDatabase; connection: Connection }> {
      const connection = await this.database();
      const db = mongooseDatabase(connection, options);
      await db.migrate?.();
      return { db, connection };
    },
  };
}
