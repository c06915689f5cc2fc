import type { Tokens } from '../generated/types.ts';
import { AccountsClientError } from './error.ts';
import { withLifetime } from './lifetime.ts';
import type { StoredTokens, TokenStorage } from './storage.ts';

interface SessionParts {
  storage: TokenStorage;
  now: () => number;
  refresh(tokens: StoredTokens): Promise<Tokens>;
}

type Listener = (loggedIn: boolean) => void;

/** The tokens of a client. Whatever changes them comes one after the other, in all tabs. */
export class Session {
  readonly #parts: SessionParts;
  readonly #listeners = new Set<Listener>();
  #last: Promise<unknown> = Promise.resolve();
  #refreshing: Promise<StoredTokens | null> | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** A token that is good for a while, or for as long as the server cannot be reached. Null for who is logged out. */
  async accessToken(): Promise<string | null> {
    const tokens = await this.#parts.storage.get();
    if (!tokens) return null;
    if (!this.#isDue(tokens)) return tokens.accessToken;
    try {
      const fresh = await this.#refresh(false);
      return fresh?.accessToken ?? null;
    } catch (error) {
      if (tokens.expiresAt > this.#parts.now()) return tokens.accessToken;
      throw error;
    }
  }

  /** Replaces the tokens now. Null when the session has ended. */
  async refresh(): Promise<string | null> {
    const fresh = await this.#refresh(true);
    return fresh?.accessToken ?? null;
  }

  async set(tokens: Tokens): Promise<void> {
    await this.#exclusive(() => this.#keep(withLifetime(tokens, this.#parts.now())));
  }

  /** Forgets the tokens first, whatever the server says to it then. */
  async end(tell: (accessToken: string) => Promise<unknown>): Promise<void> {
    await this.#exclusive(async () => {
      const tokens = await this.#parts.storage.get();
      await this.#keep(null);
      if (tokens) await tell(tokens.accessToken);
    });
  }

  /** Calls the listener when somebody has logged in or is logged out here, until the function it returns is called. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Once for all who ask at the same time: a refresh token is used up by its first use. */
  #refresh(always: boolean): Promise<StoredTokens | null> {
    this.#refreshing ??= this.#exclusive(() => this.#replace(always)).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #replace(always: boolean): Promise<StoredTokens | null> {
    const tokens = await this.#parts.storage.get();
    // Another tab may have been first, or has logged out.
    if (!tokens || !(always || this.#isDue(tokens))) return tokens;
    try {
      const fresh = withLifetime(await this.#parts.refresh(tokens), this.#parts.now());
      await this.#keep(fresh);
      return fresh;
    } catch (error) {
      // Nothing else says that the session has ended, least of all a network that fails.
      if (!(error instanceof AccountsClientError) || error.code !== 'UNAUTHENTICATED') throw error;
      await this.#keep(null);
      return null;
    }
  }

  async #keep(tokens: StoredTokens | null): Promise<void> {
    const { storage } = this.#parts;
    const before = await storage.get();
    await storage.set(tokens);
    if (!before === !tokens) return;
    for (const listener of this.#listeners) {
      try {
        listener(tokens !== null);
      } catch (error) {
        // Whoever logs in is logged in, whatever a listener makes of it.
        console.error('graphql-accounts:', error);
      }
    }
  }

  #isDue({ refreshAt }: StoredTokens): boolean {
    return !(refreshAt > this.#parts.now());
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const { storage } = this.#parts;
    const run = () => (storage.lock ? storage.lock(work) : work());
    const result = this.#last.then(run, run);
    this.#last = result.catch(() => {});
    return result;
  }
}
