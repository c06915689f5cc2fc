import { MINUTE, SECOND } from '../core/units.ts';
import { AccountsError } from '../errors.ts';
import { type Key, type Keys, readKeySet } from './keys.ts';

/** For how long keys are good without another look: so long may a key that was taken back still be believed. */
const FRESH = 10 * MINUTE;
/** For how long they are while they cannot be fetched: an outage of the one service is none of all the others. */
const STALE = 60 * MINUTE;
/** A token with a made-up `kid` costs no request, but one in so long for all of them together. */
const PAUSE = 30 * SECOND;
const PAUSE_AFTER_FAILURE = 5 * SECOND;

const TIMEOUT = 5 * SECOND;
const MAX_BYTES = 64 * 1024;

/** The keys behind the URL of a JWKS (RFC 7517), fetched when they are needed and remembered. */
export class RemoteKeys {
  readonly #url: string;
  readonly #fetch: typeof fetch;
  #keys: Keys = new Map();
  #loadedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #failure: unknown = null;
  #pending: Promise<void> | null = null;

  constructor(url: string, fetcher: typeof fetch) {
    this.#url = url;
    this.#fetch = fetcher;
  }

  /** Null for a name that no key has. Throws SERVICE_UNAVAILABLE where nobody can tell. */
  async find(kid: string, now: number): Promise<Key | null> {
    if (since(this.#loadedAt, now) >= FRESH) await this.#load(now);
    if (!this.#keys.has(kid)) await this.#load(now);
    const key = since(this.#loadedAt, now) < STALE ? this.#keys.get(kid) : undefined;
    if (key) return key;
    if (this.#failure === null) return null;
    throw new AccountsError('SERVICE_UNAVAILABLE', undefined, { cause: this.#failure });
  }

  async #load(now: number): Promise<void> {
    const pause = this.#failure === null ? PAUSE : PAUSE_AFTER_FAILURE;
    if (!this.#pending && since(this.#askedAt, now) >= pause) {
      this.#askedAt = now;
      this.#pending = this.#ask(now).finally(() => {
        this.#pending = null;
      });
    }
    await this.#pending;
  }

  async #ask(now: number): Promise<void> {
    try {
      this.#keys = await readKeySet(await this.#download());
      this.#loadedAt = now;
      this.#failure = null;
    } catch (error) {
      this.#failure = error;
    }
  }

  async #download(): Promise<unknown> {
    const response = await this.#fetch(this.#url, {
      headers: { accept: 'application/json' },
      // Whom the application trusts is the host of its own URL, not whoever that host points at.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (response.status !== 200) throw new Error(`the JWKS is not there: ${response.status}`);
    return JSON.parse(await boundedText(response));
  }
}

async function boundedText({ body }: Response): Promise<string> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done || !value) return text + decoder.decode();
    size += value.byteLength;
    if (size > MAX_BYTES) {
      void reader?.cancel().catch(() => {});
      throw new Error('the JWKS is too large');
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** Also a clock that was set back makes keys old. */
function since(time: number, now: number): number {
  return Math.abs(now - time);
}
