import type { JSONWebKeySet } from 'jose';
import { type Key, type Keys, readKey, readKeySet } from './keys.ts';
import { RemoteKeys } from './remote-keys.ts';

/** Finds the key of that name; null where there is none. */
export type KeySource = (kid: string, now: number) => Promise<Key | null>;

/** Secrets and URLs, which an application has a few of. */
const LIMIT = 100;

const textKeys = new Map<string, Promise<Key>>();
const objectKeys = new WeakMap<object, Promise<Key>>();
const keySets = new WeakMap<object, Promise<Keys>>();
const remotes = new WeakMap<typeof fetch, Map<string, RemoteKeys>>();

/** The given keys, each of them read once. Throws a TypeError for one that cannot be used. */
export async function sourceOfKeys(input: unknown): Promise<KeySource> {
  const inputs: unknown[] = Array.isArray(input) ? input : [input];
  if (inputs.length === 0) throw new TypeError('verifyAccessToken: key is an empty list');
  const keys = await Promise.all(inputs.map(rememberedKey));
  return async (kid) => keys.find((key) => key.kid === kid) ?? null;
}

/** The keys of a JWKS, or of its URL. Throws a TypeError. */
export async function sourceOfKeySet(
  jwks: string | URL | JSONWebKeySet,
  fetcher: typeof fetch,
): Promise<KeySource> {
  if (typeof jwks === 'string' || jwks instanceof URL) {
    const remote = rememberedRemote(hrefOf(jwks), fetcher);
    return (kid, now) => remote.find(kid, now);
  }
  if (typeof jwks !== 'object' || jwks === null) throw new TypeError('verifyAccessToken: jwks is no JWKS');
  const keys = await remembered(keySets, jwks, readKeySet);
  return async (kid) => keys.get(kid) ?? null;
}

function rememberedKey(input: unknown): Promise<Key> {
  if (typeof input === 'string') return remembered(bounded(textKeys), input, readKey);
  if (typeof input === 'object' && input !== null) return remembered(objectKeys, input, readKey);
  return readKey(input);
}

function rememberedRemote(url: string, fetcher: typeof fetch): RemoteKeys {
  const byUrl = remembered(remotes, fetcher, () => new Map<string, RemoteKeys>());
  return remembered(bounded(byUrl), url, () => new RemoteKeys(url, fetcher));
}

interface Memory<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
}

function remembered<K, V>(memory: Memory<K, V>, key: K, make: (key: K) => V): V {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const made = make(key);
  memory.set(key, made);
  return made;
}

function bounded<V>(memory: Map<string, V>): Map<string, V> {
  const [oldest] = memory.keys();
  if (memory.size > LIMIT && oldest !== undefined) memory.delete(oldest);
  return memory;
}

function hrefOf(jwks: string | URL): string {
  const url = URL.canParse(String(jwks)) ? new URL(jwks) : null;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url.href;
  throw new TypeError('verifyAccessToken: jwks must be an http or https URL, or a JWKS');
}
