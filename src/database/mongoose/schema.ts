import type { mongo } from 'mongoose';
import type { EmailAddress, Json } from '../ports.ts';

/** Raised by one with every change that an older program must not work on. `migrate` brings it up to date. */
export const SCHEMA_VERSION = 2;

/**
 * A user with the state of its creation. `pending` and `abandoned` users count for nothing: see creations.ts.
 */
export interface UserDocument {
  _id: string;
  version: number;
  username: string | null;
  emails: EmailAddress[];
  deactivated: boolean;
  profile: { [key: string]: Json };
  createdAt: Date;
  updatedAt: Date;
  state: 'pending' | 'active' | 'abandoned';
  /** Which attempt made it. */
  creation: string;
  /** When that attempt began, and the identities that it was going to claim. Only while the user is not active. */
  startedAt?: Date;
  claims?: string[];
}

export interface IdentityDocument {
  /** Service and subject: unique on a sharded cluster too, where nothing but the shard key is. */
  _id: string;
  userId: string;
  version: number;
  data: { [key: string]: Json };
  createdAt: Date;
  /** The creation that it belongs to. Gone once that is known to be completed, so that nobody has to ask again. */
  claim?: string;
}

export interface SessionDocument {
  _id: string;
  userId: string;
  version: number;
  rotation: number;
  rotatedAt: Date;
  createdAt: Date;
  idleExpiresAt: Date;
  expiresAt: Date;
  /** The earlier of both. */
  endsAt: Date;
  revokedAt: Date | null;
  /** Not in those that schema 1 has made, nor in those that a process of that version makes yet. */
  authenticatedAt?: Date;
  amr?: string[];
  actorSessionId: string | null;
  actorUserId: string | null;
  ip: string | null;
  userAgent: string | null;
}

export interface OneTimeTokenDocument {
  _id: string;
  hash: string;
  purpose: string;
  userId: string;
  data: { [key: string]: Json };
  createdAt: Date;
  expiresAt: Date;
}

export interface CounterDocument {
  _id: string;
  points: number;
  expiresAt: Date;
}

export interface MetaDocument {
  _id: 'schema';
  version: number;
  pingedAt?: Date;
}

export interface Collections {
  users: mongo.Collection<UserDocument>;
  identities: mongo.Collection<IdentityDocument>;
  sessions: mongo.Collection<SessionDocument>;
  oneTimeTokens: mongo.Collection<OneTimeTokenDocument>;
  counters: mongo.Collection<CounterDocument>;
  meta: mongo.Collection<MetaDocument>;
}

export interface Index {
  name: string;
  key: { [field: string]: 1 | -1 };
  expireAfterSeconds?: number;
  partialFilterExpression?: { [field: string]: { $exists: true } };
}

/** Every collection of ours, its model, and its indexes beside `_id`. */
export const SCHEMA: {
  readonly [name in keyof Collections]: {
    collection: string;
    model: string | null;
    indexes: readonly Index[];
  };
} = {
  users: {
    collection: 'accounts_users',
    model: 'GraphqlAccountsUser',
    // Of active users the field is missing: what creations have left behind is found without a look at the others. Not
    // `sparse`, which a connection with `serverApi: { version: '1', strict: true }` may not ask for.
    indexes: [
      {
        name: 'startedAt',
        key: { startedAt: 1 },
        partialFilterExpression: { startedAt: { $exists: true } },
      },
    ],
  },
  identities: {
    collection: 'accounts_identities',
    model: 'GraphqlAccountsIdentity',
    indexes: [{ name: 'userId', key: { userId: 1 } }],
  },
  sessions: {
    collection: 'accounts_sessions',
    model: 'GraphqlAccountsSession',
    indexes: [
      { name: 'userId', key: { userId: 1, revokedAt: 1, createdAt: -1 } },
      { name: 'endsAt', key: { endsAt: 1 }, expireAfterSeconds: 0 },
    ],
  },
  oneTimeTokens: {
    collection: 'accounts_one_time_tokens',
    model: 'GraphqlAccountsOneTimeToken',
    indexes: [
      { name: 'hash', key: { hash: 1 } },
      { name: 'userId', key: { userId: 1, purpose: 1 } },
      { name: 'expiresAt', key: { expiresAt: 1 }, expireAfterSeconds: 0 },
    ],
  },
  counters: {
    collection: 'accounts_counters',
    model: 'GraphqlAccountsCounter',
    indexes: [{ name: 'expiresAt', key: { expiresAt: 1 }, expireAfterSeconds: 0 }],
  },
  meta: { collection: 'accounts_meta', model: null, indexes: [] },
};
