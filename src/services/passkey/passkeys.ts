import { setTimeout as sleep } from 'node:timers/promises';
import type { Users } from '../../core/users.ts';
import type { IdentityRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';

/** A passkey as applications see one. */
export interface Passkey {
  /** The id of the credential, in base64url. */
  id: string;
  name: string;
  createdAt: Date;
  /** Null before the first login with it. */
  lastUsedAt: Date | null;
  /** Whether it is synchronised, so that it outlives its device. */
  backedUp: boolean;
}

/** What the store keeps of one: nothing that logs anybody in. */
export type PasskeyData = {
  /** The domain that it was made for: it is good for no other. */
  rpId: string;
  /** A COSE key in base64url. */
  publicKey: string;
  /** How often it has signed, as it says; 0 where it does not count. */
  counter: number;
  transports: string[];
  name: string;
  lastUsedAt: number | null;
  backedUp: boolean;
  /** Whether it may be synchronised: settled when it is made. */
  deviceType: string;
  /**
   * Whether it checked who holds it when it was made. Only then is that a factor later: whoever finds a key that has no
   * PIN yet can set one of their own (WebAuthn Level 3, 4, `uvInitialized`).
   */
  verifiesUser: boolean;
  /** The model of what made it. */
  aaguid: string;
};

export interface StoredPasskey extends PasskeyData {
  id: string;
  userId: string;
  createdAt: number;
  identity: IdentityRecord;
}

const SERVICE = 'passkey';
const MAX_TRIES = 20;
/** Milliseconds between two attempts to change one. */
const MAX_PAUSE = 100;

/** The identities that are passkeys: the subject is the id of the credential. */
export class Passkeys {
  readonly #users: Users;

  constructor(users: Users) {
    this.#users = users;
  }

  async find(id: string): Promise<StoredPasskey | null> {
    const identity = await this.#users.findIdentity(SERVICE, id);
    return identity && stored(identity);
  }

  /** Oldest first. */
  async ofUser(userId: string): Promise<StoredPasskey[]> {
    const identities = await this.#users.findIdentities(userId);
    const passkeys = identities.filter(({ service }) => service === SERVICE).map(stored);
    return passkeys.sort((one, other) => one.createdAt - other.createdAt);
  }

  /** False when the credential is somebody's already. */
  insert(id: string, userId: string, data: PasskeyData): Promise<boolean> {
    return this.#users.insertIdentity(SERVICE, id, userId, data);
  }

  /**
   * Changes a passkey of the user under compare-and-set. `change` sees the newest one and gives nothing where it is fine
   * as it is. Null when there is no such passkey.
   */
  async change(
    id: string,
    userId: string,
    change: (passkey: StoredPasskey) => Partial<PasskeyData>,
  ): Promise<StoredPasskey | null> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (attempt > 0) await sleep(Math.random() * Math.min(2 ** attempt, MAX_PAUSE));
      const passkey = await this.find(id);
      if (passkey?.userId !== userId) return null;
      const changes = change(passkey);
      if (Object.keys(changes).length === 0) return passkey;
      const data = { ...passkey.identity.data, ...changes };
      if (await this.#users.updateIdentity(passkey.identity, data)) return { ...passkey, ...changes };
    }
    throw new AccountsError('SERVICE_UNAVAILABLE');
  }

  /** Removes it if it is the user's. */
  async remove({ identity }: StoredPasskey): Promise<void> {
    await this.#users.removeIdentity(identity);
  }
}

export function toPasskey({ id, name, createdAt, lastUsedAt, backedUp }: StoredPasskey): Passkey {
  const used = lastUsedAt === null ? null : new Date(lastUsedAt);
  return { id, name, createdAt: new Date(createdAt), lastUsedAt: used, backedUp };
}

function stored(identity: IdentityRecord): StoredPasskey {
  const { subject: id, userId, createdAt } = identity;
  return { ...(identity.data as PasskeyData), id, userId, createdAt, identity };
}
