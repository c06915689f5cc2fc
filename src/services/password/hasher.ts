import { availableParallelism } from 'node:os';
import type { Trace } from '../../core/tracing.ts';
import { AccountsError } from '../../errors.ts';
import { type Argon2Cost, argon2Cost, isWeaker, parseArgon2 } from './phc.ts';
import { isHashable } from './policy.ts';
import { createQueue } from './queue.ts';

/**
 * What is stored of a password, as JSON data of an identity. `normalization` tells what was done to the password
 * before it was hashed (S4): null, for imported hashes, is nothing.
 */
export type PasswordHash = {
  hash: string;
  normalization: 'nfkc' | null;
};

/** Why a stored hash was not used. Holds nothing secret. */
export type UnusableHash = 'unknown format' | 'cost out of bounds' | 'verifier failed';

export interface HasherOptions {
  /** How many passwords are hashed at once. One per processor by default, as far as libuv has threads to spare. */
  concurrency?: number | undefined;
  /** How many more may wait until `BUSY` is the answer. 250 for each at once by default: some 3 s of work. */
  queueLimit?: number | undefined;
  /** The cost of new hashes; never less than 19 MiB, t=2, p=1, which is the default. */
  argon2?: Partial<Argon2Cost> | undefined;
  /** Takes the place of argon2id, together with `verifyPassword`. Gets the password in NFKC. */
  hashPassword?: ((password: string) => Promise<string>) | undefined;
  /** Verifies every stored hash, imported ones too, when `hashPassword` is given. Only `true` is yes. */
  verifyPassword?: ((password: string, hash: string) => Promise<boolean>) | undefined;
  /** Told of each stored hash that was not used, and why. */
  report?: ((problem: UnusableHash) => void) | undefined;
  /** Makes a span of each hash, its time in the queue included. */
  trace?: Trace | undefined;
}

/** Makes and verifies password hashes, off the event loop, in a bounded queue (S1). */
export interface PasswordHasher {
  /**
   * Hashes a password, NFKC first.
   * @throws AccountsError `BUSY`, or `INVALID_PASSWORD` for what is not `isHashable`.
   */
  hash(password: string): Promise<PasswordHash>;
  /**
   * Whether the password is the one of the stored record. A record that cannot be used costs as much as any other and
   * answers false. What is not `isHashable` answers false at once.
   * @throws AccountsError `BUSY`
   */
  verify(password: string, record: Readonly<Record<string, unknown>>): Promise<boolean>;
  /** The work of `verify` where there is no record: unknown user, no password (S8). */
  verifyNothing(password: string): Promise<void>;
  /** Whether a record that has just been verified ought to be replaced: bcrypt, weaker than now, not in NFKC. */
  needsRehash(record: Readonly<Record<string, unknown>>): boolean;
  /** How many are being hashed and how many wait. */
  readonly load: { readonly running: number; readonly waiting: number };
}

/** How a hash is made and checked; the queue, NFKC and the records are the same for all. */
export interface Algorithm {
  hash(password: string): Promise<string>;
  /** A string instead of an answer tells why there is none. */
  verify(password: string, hash: string): Promise<boolean | UnusableHash>;
  verifyNothing(password: string): Promise<unknown>;
  isWeak(hash: string): boolean;
}

/**
 * Makes the hasher.
 *
 * ```ts
 * const hasher = createHasher();
 * const record = await hasher.hash('correct horse battery staple');
 * await hasher.verify('correct horse battery staple', record); // true
 * ```
 *
 * @throws TypeError for a cost, a number of lanes or a queue out of bounds, and for half a custom pair.
 */
export function createHasher(options: HasherOptions = {}): PasswordHasher {
  const { concurrency = defaultConcurrency(), queueLimit = 250 * concurrency, report, trace } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new TypeError('concurrency must be a whole number from 1.');
  }
  if (!Number.isInteger(queueLimit) || queueLimit < 0) {
    throw new TypeError('queueLimit must be a whole number from 0.');
  }
  const algorithm = chooseAlgorithm(options);
  const queue = createQueue(concurrency, queueLimit);
  const run = <T>(operation: 'hash' | 'verify', work: () => Promise<T>): Promise<T> => {
    const queued = (): Promise<T> => queue.run(work);
    return trace ? trace('accounts.hash', { 'accounts.hash.operation': operation }, queued) : queued();
  };

  return {
    async hash(password) {
      if (!isHashable(password)) throw new AccountsError('INVALID_PASSWORD');
      const normalized = password.normalize('NFKC');
      return { hash: await run('hash', () => algorithm.hash(normalized)), normalization: 'nfkc' };
    },
    async verify(password, record) {
      if (!isHashable(password)) return false;
      return run('verify', async () => {
        const stored = readRecord(record);
        const typed = stored?.normalization === 'nfkc' ? password.normalize('NFKC') : password;
        const answer = stored ? await algorithm.verify(typed, stored.hash) : 'unknown format';
        if (typeof answer === 'boolean') return answer;
        report?.(answer);
        // Otherwise the quick answer would tell that this account is there. And when it is not this hash but the
        // custom pair that fails, this throws too: an outage is not a wrong guess.
        await algorithm.verifyNothing(typed);
        return false;
      });
    },
    async verifyNothing(password) {
      if (isHashable(password))
        await run('verify', () => algorithm.verifyNothing(password.normalize('NFKC')));
    },
    needsRehash(record) {
      const stored = readRecord(record);
      return stored !== null && (stored.normalization !== 'nfkc' || algorithm.isWeak(stored.hash));
    },
    get load() {
      return { running: queue.running, waiting: queue.waiting };
    },
  };
}

function chooseAlgorithm({ hashPassword, verifyPassword, argon2: cost }: HasherOptions): Algorithm {
  if (hashPassword && verifyPassword) return customAlgorithm(hashPassword, verifyPassword);
  if (hashPassword || verifyPassword) {
    throw new TypeError('hashPassword and verifyPassword must be given together.');
  }
  return builtInAlgorithm(argon2Cost(cost));
}

/**
 * Loaded beside the start of a server: whoever imports this package and hashes nothing does not pay for native code. It
 * is there before anybody knows what there is to verify, so that the first answers tell no more than later ones (S8).
 */
function builtInAlgorithm(cost: Argon2Cost): Algorithm {
  const loading = import('./argon2.ts').then(({ createArgon2 }) => createArgon2(cost));
  // Told to each who needs it.
  loading.catch(() => {});
  return {
    hash: async (password) => (await loading).hash(password),
    verify: async (password, hash) => (await loading).verify(password, hash),
    verifyNothing: async (password) => (await loading).verifyNothing(password),
    isWeak(hash) {
      const parsed = parseArgon2(hash);
      return parsed === null || isWeaker(parsed, cost);
    },
  };
}

/** The pair of functions that accounts-js takes. */
function customAlgorithm(
  hashPassword: (password: string) => Promise<string>,
  verifyPassword: (password: string, hash: string) => Promise<boolean>,
): Algorithm {
  return {
    async hash(password) {
      const hash: unknown = await hashPassword(password);
      if (typeof hash === 'string') return hash;
      throw new TypeError('hashPassword must resolve to a string.');
    },
    async verify(password, hash) {
      try {
        return (await verifyPassword(password, hash)) === true;
      } catch {
        return 'verifier failed';
      }
    },
    // Hashing is the work of verifying, and needs no hash that nobody has.
    verifyNothing: async (password) => hashPassword(password),
    isWeak: () => false,
  };
}

function readRecord({ hash, normalization = null }: Readonly<Record<string, unknown>>): PasswordHash | null {
  if (typeof hash !== 'string' || (normalization !== 'nfkc' && normalization !== null)) return null;
  return { hash, normalization };
}

// argon2 runs on libuv's threads (4 unless UV_THREADPOOL_SIZE says otherwise), which files and DNS need as well: one
// stays free. More lanes than processors hash no faster and only delay the rest: on two cores, with 20 clients logging
// in over HTTP, one lane does 93 logins a second, two 135, three 139; light requests beside them have a p99 of 4, 8
// and 10 ms.
function defaultConcurrency(): number {
  const threads = Number(process.env.UV_THREADPOOL_SIZE) || 4;
  return Math.max(1, Math.min(availableParallelism(), threads - 1));
}
