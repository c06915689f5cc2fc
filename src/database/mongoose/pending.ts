import { AccountsError } from '../../errors.ts';
import { isDuplicateKey } from './failures.ts';
import type { Collections, IdentityDocument, UserDocument } from './schema.ts';

/** For so long, in milliseconds, a creation is left alone; then whoever wants something of it ends it. */
const PENDING_TIME = 5_000;
/** For so long, in milliseconds, others are waited for. */
const PATIENCE = 2 * PENDING_TIME;
/** What nobody has asked for since then, in milliseconds, is removed with what has expired. */
const LEFT_BEHIND = 3_600_000;
const PART = 1_000;

export interface Pace {
  now(): number;
  /** Resolves when it is worth to look again, for the nth time. */
  wait(attempt: number): Promise<void>;
}

/** How long one call has waited for others. */
export interface Patience {
  deadline: number;
  attempts: number;
}

/** What becomes of creations that somebody else has begun. */
export interface PendingCreations {
  patience(): Patience;
  /** Whether an identity that was read is somebody's: costs a query only when its creation was not settled. */
  counts(identity: IdentityDocument): Promise<boolean>;
  /** Takes the marks of a completed creation off its identities, so that nobody has to ask for it again. */
  settle(ids: readonly string[], creation: string): Promise<void>;
  /** Ends a creation and removes what it has left. False when it is completed. */
  end(userId: string, creation: string, claims: readonly string[]): Promise<boolean>;
  /**
   * Waits for a creation that is under way, and ends one that is not; then it is worth to try again. False when it is
   * completed. Throws SERVICE_UNAVAILABLE when others have been waited for too long.
   */
  outlast(userId: string, creation: string, claims: readonly string[], patience: Patience): Promise<boolean>;
  /** Ends the creations of processes that were killed, and removes what they have left. */
  removeLeftBehind(): Promise<void>;
}

export function createPending(open: () => Promise<Collections>, { now, wait }: Pace): PendingCreations {
  const holderOf = async (userId: string): Promise<Holder | null> =>
    (await open()).users.findOne({ _id: userId }, { projection: HOLDER });

  /** Whether a creation may still be completed by its own process. A clock may be wrong, in either direction. */
  const isFresh = ({ state, startedAt }: Holder): boolean =>
    state === 'pending' && startedAt !== undefined && Math.abs(now() - startedAt.getTime()) <= PENDING_TIME;

  const settle: PendingCreations['settle'] = async (ids, creation) => {
    const { identities } = await open();
    await identities.updateMany({ _id: { $in: [...ids] }, claim: creation }, { $unset: { claim: '' } });
  };

  const end: PendingCreations['end'] = async (userId, creation, claims) => {
    const { users, identities } = await open();
    for (;;) {
      const holder = await holderOf(userId);
      if (!(await seal(users, userId, creation, holder))) continue;
      const isItsOwn = holder?.creation === creation;
      if (isItsOwn && holder.state === 'active') return false;
      const ids = [...claims, ...((isItsOwn && holder.claims) || [])];
      await identities.deleteMany({ _id: { $in: ids }, claim: creation });
      await users.deleteOne({ _id: userId, creation, state: 'abandoned' });
      return true;
    }
  };

  return {
    patience: () => ({ deadline: now() + PATIENCE, attempts: 0 }),
    settle,
    end,
    counts: async ({ _id, userId, claim }) => {
      if (claim === undefined) return true;
      const holder = await holderOf(userId);
      if (holder?.creation !== claim || holder.state !== 'active') return false;
      // On a sharded cluster the mark could stay off when a fail-over takes back what has completed the user.
      if (!(await seal((await open()).users, userId, claim, holder))) return false;
      await settle([_id], claim);
      return true;
    },
    outlast: async (userId, creation, claims, patience) => {
      const holder = await holderOf(userId);
      if (holder?.creation !== creation || !isFresh(holder)) return end(userId, creation, claims);
      if (now() > patience.deadline) throw new AccountsError('SERVICE_UNAVAILABLE');
      await wait(patience.attempts++);
      return true;
    },
    removeLeftBehind: async () => {
      const left = { startedAt: { $lt: new Date(now() - LEFT_BEHIND) } };
      const { users } = await open();
      const found = await users
        .find(left, { projection: HOLDER, limit: PART, batchSize: PART + 1 })
        .toArray();
      for (const { _id, creation, claims = [] } of found) await end(_id, creation, claims);
    },
  };
}

const HOLDER = { state: 1, creation: 1, startedAt: 1, claims: 1 } as const;
type Holder = Pick<UserDocument, '_id' | 'state' | 'creation' | 'startedAt' | 'claims'>;

/**
 * Makes sure that a creation is completed, or that it never will be. By a write that a majority has acknowledged: a server
 * that does not know yet that it is no primary any more gives old answers to whoever only reads, and shows what will be
 * taken back. False when the user's document is not what was read: then it has to be read again.
 */
async function seal(
  users: Collections['users'],
  userId: string,
  creation: string,
  holder: Holder | null,
): Promise<boolean> {
  if (!holder) return isInserted(users.insertOne(tombstone(userId, creation)));
  const isUnderWay = holder.creation === creation && holder.state === 'pending';
  // What is completed, and the document of a later creation, stay as they are: writing what it has shows that it is there.
  const state = isUnderWay ? 'abandoned' : holder.state;
  const { matchedCount } = await users.updateOne(
    { _id: userId, creation: holder.creation, state: holder.state },
    { $set: { state } },
  );
  return matchedCount === 1;
}

/** Proves that the place of a user's document is empty, and is removed again. */
function tombstone(userId: string, creation: string): UserDocument {
  const never = new Date(0);
  return {
    _id: userId,
    version: 0,
    username: null,
    emails: [],
    deactivated: true,
    profile: {},
    createdAt: never,
    updatedAt: never,
    state: 'abandoned',
    creation,
    startedAt: never,
    claims: [],
  };
}

/** False when there is a document of this id already. */
export async function isInserted(insertion: Promise<unknown>): Promise<boolean> {
  try {
    await insertion;
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
