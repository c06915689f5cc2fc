/** A pair of tokens. Times are in milliseconds, by the clock of this device. */
export interface StoredTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** When the access token has expired. */
  readonly expiresAt: number;
  /** When it is time to replace it. */
  readonly refreshAt: number;
}

/** Where a client keeps its tokens. */
export interface TokenStorage {
  get(): StoredTokens | null | Promise<StoredTokens | null>;
  set(tokens: StoredTokens | null): void | Promise<void>;
  /** Runs work that no other client of the same storage may run at the same time. */
  lock?<T>(work: () => Promise<T>): Promise<T>;
}

/** Forgets the tokens with the page. What cannot be read from a storage cannot be stolen from it either. */
export function memoryStorage(): TokenStorage {
  let tokens: StoredTokens | null = null;
  return {
    get: () => tokens,
    set: (fresh) => {
      tokens = fresh;
    },
  };
}

export interface BrowserStorageOptions {
  /** `graphql-accounts` by default. */
  key?: string | undefined;
  /** `localStorage` by default; with `sessionStorage` each tab is logged in by itself. */
  storage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | undefined;
}

/**
 * Keeps the tokens beyond the page, for all tabs of a browser together: one of them refreshes for all. Every script of
 * the page can read them there, so what an attacker can inject into it can take them along.
 */
export function browserStorage(options: BrowserStorageOptions = {}): TokenStorage {
  const { key = 'graphql-accounts', storage = surroundings.localStorage } = options;
  if (!storage) throw new TypeError('browserStorage: there is no localStorage here');
  const { locks } = surroundings.navigator ?? {};
  return {
    get: () => parse(storage.getItem(key)),
    set: (tokens) => (tokens ? storage.setItem(key, JSON.stringify(tokens)) : storage.removeItem(key)),
    ...(locks && { lock: (work) => locks.request(`graphql-accounts ${key}`, work) }),
  };
}

interface Storage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** What only browsers have. */
const surroundings = globalThis as {
  localStorage?: Storage;
  navigator?: { locks?: { request<T>(name: string, work: () => Promise<T>): Promise<T> } };
};

/** Null for what is not ours. */
function parse(text: string | null): StoredTokens | null {
  try {
    const { accessToken, refreshToken, expiresAt, refreshAt } = JSON.parse(text ?? '') as StoredTokens;
    if (typeof accessToken !== 'string' || typeof refreshToken !== 'string') return null;
    return { accessToken, refreshToken, expiresAt: Number(expiresAt), refreshAt: Number(refreshAt) };
  } catch {
    return null;
  }
}
