import { randomUUID } from 'node:crypto';
import { AccountsError } from '../../errors.ts';
import type { Conflict, IdentityRecord } from '../ports.ts';
import { toIdentityDocument } from './identities.ts';
import { isInserted, type Patience, type PendingCreations } from './pending.ts';
import type { Collections, IdentityDocument } from './schema.ts';
import type { UserFields } from './users.ts';

/** A user's document before its creation has begun. */
type UserToCreate = UserFields & { _id: string };

export interface Creations {
  create(user: UserToCreate, identities: readonly IdentityRecord[]): Promise<Conflict | null>;
  /** Inserts an identity of an active user. False when it is somebody's already. */
  add(identity: IdentityDocument): Promise<boolean>;
}

/**
 * Makes users with their identities, wholly or not at all, without a transaction. The user's document is the record of
 * it:
 *
 * 1. it is inserted as `pending`;
 * 2. each identity claims its `_id`, with the mark of this creation, in the order of the ids: whoever waits for another
 *    holds nothing that the other waits for;
 * 3. one update turns `pending` into `active`. Now it is completed, and never undone;
 * 4. the marks are taken off the identities. Whoever meets one that was left asks the user's document.
 *
 * Whoever wants what another creation has claimed waits until it is completed or undone. After 5 s its process is taken
 * for dead: one update turns `pending` into `abandoned`, which is never completed, and what it has left is removed. A
 * creator that was only slow then fails at step 3 and cleans up.
 */
export function createCreations(
  open: () => Promise<Collections>,
  pending: PendingCreations,
  now: () => number,
): Creations {
  const begin = async (
    user: UserToCreate,
    creation: string,
    claims: string[],
    patience: Patience,
  ): Promise<boolean> => {
    const { users } = await open();
    for (;;) {
      const startedAt = new Date(now());
      if (await isInserted(users.insertOne({ ...user, state: 'pending', creation, startedAt, claims })))
        return true;
      const found = await users.findOne({ _id: user._id }, { projection: { creation: 1 } });
      if (found && !(await pending.outlast(user._id, found.creation, [], patience))) return false;
    }
  };

  /** Inserts an identity as soon as it is nobody's. False when it is somebody's. */
  const claim = async (identity: IdentityDocument, patience: Patience): Promise<boolean> => {
    const { identities } = await open();
    while (!(await isInserted(identities.insertOne({ ...identity })))) {
      const found = await identities.findOne({ _id: identity._id });
      if (!found) continue;
      // Of the same creation: the caller has named it twice.
      if (found.claim === undefined || found.claim === identity.claim) return false;
      if (!(await pending.outlast(found.userId, found.claim, [found._id], patience))) return false;
    }
    return true;
  };

  /** The first identity that is in the way; null when all are claimed. */
  const claimAll = async (
    identities: readonly IdentityRecord[],
    creation: string,
    patience: Patience,
  ): Promise<IdentityRecord | null> => {
    const wanted = identities.map((identity) => ({ identity, document: toIdentityDocument(identity) }));
    wanted.sort((a, b) => (a.document._id < b.document._id ? -1 : 1));
    for (const { identity, document } of wanted)
      if (!(await claim({ ...document, claim: creation }, patience))) return identity;
    return null;
  };

  const complete = async (userId: string, creation: string): Promise<void> => {
    const { matchedCount } = await (await open()).users.updateOne(
      { _id: userId, creation, state: 'pending' },
      { $set: { state: 'active' }, $unset: { startedAt: '', claims: '' } },
    );
    // It took too long, and others have ended it.
    if (matchedCount === 0) throw new AccountsError('SERVICE_UNAVAILABLE');
  };

  /** The first, in the caller's order, of those that are somebody's. */
  const firstTaken = async (identities: readonly IdentityRecord[]): Promise<IdentityRecord | undefined> => {
    const ids = identities.map((identity) => toIdentityDocument(identity)._id);
    const found = await (await open()).identities.find({ _id: { $in: ids } }).toArray();
    const taken = new Set<string>();
    for (const identity of found) if (await pending.counts(identity)) taken.add(identity._id);
    return identities[ids.findIndex((id) => taken.has(id))];
  };

  return {
    add: (identity) => claim(identity, pending.patience()),
    create: async (user, identities) => {
      const patience = pending.patience();
      const creation = randomUUID();
      const claims = identities.map((identity) => toIdentityDocument(identity)._id);
      if (!(await begin(user, creation, claims, patience))) return { service: 'id', subject: user._id };
      let inTheWay: IdentityRecord | null = null;
      try {
        inTheWay = await claimAll(identities, creation, patience);
        if (!inTheWay) await complete(user._id, creation);
      } catch (error) {
        // When only the answer was lost on its way, it is completed. Without a majority this throws: nobody knows then.
        if (await pending.end(user._id, creation, claims)) throw error;
      }
      if (inTheWay) {
        await pending.end(user._id, creation, claims);
        const { service, subject } = (await firstTaken(identities)) ?? inTheWay;
        return { service, subject };
      }
      // Not what completes it: it only spares others a question.
      await pending.settle(claims, creation).catch(() => undefined);
      return null;
    },
  };
}
