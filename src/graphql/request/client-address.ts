import { BlockList, isIP } from 'node:net';

/** The part of a Node request that the client's address is read from. Requests of Express and Fastify have it too. */
export interface AddressedRequest {
  readonly headers: { readonly [name: string]: unknown };
  readonly socket?: { readonly remoteAddress?: string | undefined } | null | undefined;
}

/**
 * Makes a function that reads the client's address from a request: the address of the socket, or, when the socket is
 * a trusted proxy's, the rightmost address in `X-Forwarded-For` that is not a trusted proxy's. Whatever stands further
 * left may have been sent by the client, who would choose an address and with it a budget of guesses (S12).
 *
 * ```ts
 * const addressOf = clientAddress(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
 * addressOf(request); // '203.0.113.7', or null when the socket has none
 * ```
 *
 * Throws a TypeError for what is no list, and for what is neither an address nor a CIDR.
 */
export function clientAddress(
  trustedProxies: readonly string[] = [],
): (request: AddressedRequest) => string | null {
  if (!Array.isArray(trustedProxies))
    throw new TypeError('trustedProxies must be a list of addresses and CIDRs');
  if (trustedProxies.length === 0) return socketAddress;
  const isTrusted = createTrust(trustedProxies);
  return (request) => {
    const address = socketAddress(request);
    return address !== null && isTrusted(address)
      ? beforeProxies(request.headers['x-forwarded-for'], address, isTrusted)
      : address;
  };
}

function socketAddress({ socket }: AddressedRequest): string | null {
  const address = socket?.remoteAddress;
  return typeof address === 'string' ? unmapped(address) : null;
}

/**
 * Walks the header from the right, as each proxy appended the address that called it, up to the first address that is
 * no trusted proxy's.
 */
function beforeProxies(header: unknown, proxy: string, isTrusted: (address: string) => boolean): string {
  if (typeof header !== 'string') return proxy;
  let address = proxy;
  for (let end = header.length; end > 0 && isTrusted(address); ) {
    const comma = header.lastIndexOf(',', end - 1);
    const next = parseHop(header.slice(comma + 1, end).trim());
    if (next === null) break;
    address = next;
    end = comma;
  }
  return address;
}

/** Reads one entry of the header. Some proxies write the port too: `203.0.113.7:4711`, `[2001:db8::1]:4711`. */
function parseHop(hop: string): string | null {
  const bare = /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
  return isIP(bare) === 0 ? null : unmapped(bare);
}

/** `::ffff:203.0.113.7` is how a socket that speaks both families names an IPv4 address. */
function unmapped(address: string): string {
  const bare = address.slice('::ffff:'.length);
  return address.toLowerCase().startsWith('::ffff:') && isIP(bare) === 4 ? bare : address;
}

function createTrust(proxies: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', prefix, ...rest] = String(proxy).split('/');
    const bare = unmapped(address);
    const family = isIP(bare) === 4 ? 'ipv4' : 'ipv6';
    const bits = family === 'ipv4' ? 32 : 128;
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (isIP(bare) === 0 || rest.length > 0 || !(length <= bits)) {
      throw new TypeError(`trustedProxies: ${JSON.stringify(proxy)} is neither an address nor a CIDR`);
    }
    list.addSubnet(bare, length, family);
  }
  return (address) => list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}
