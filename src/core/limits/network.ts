import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';

/** Where many people share an address, one of them must hardly ever meet another. */
const PLACES = 65_536;

/**
 * Any of the places that a client's address has in the store, for tokens that everybody may ask for: their number is
 * bounded by that of the clients.
 */
export function anyPlaceOf(address: string | null): string {
  return `${networkOf(address)} ${randomInt(PLACES)}`;
}

/**
 * What of a client's address is counted: an IPv4 address, or the /64 network of an IPv6 address, of which its owner
 * has 2^64 others (S12). Clients without an address share one budget.
 */
export function networkOf(address: string | null): string {
  if (address === null) return 'unknown';
  const [bare = ''] = address.toLowerCase().split('%');
  if (isIP(bare) !== 6) return bare;
  const groups = groupsOf(bare);
  return (
    mappedIn(groups) ??
    `${groups
      .slice(0, 4)
      .map((group) => group.toString(16))
      .join(':')}::/64`
  );
}

/** The IPv4 address that an IPv6 address stands for (RFC 4291, 2.5.5.2), in whatever spelling. */
function mappedIn(groups: readonly number[]): string | null {
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : null;
}

/** The eight groups of an address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, inGroups).split('::');
  const [before = [], after = []] = [head, tail ?? ''].map((part) =>
    part.split(':').filter((group) => group !== ''),
  );
  const missing = 8 - before.length - after.length;
  const filled = [...before, ...Array<string>(missing).fill('0'), ...after];
  return filled.map((group) => Number.parseInt(group, 16));
}

/** The last two groups may be written as an IPv4 address. */
function inGroups(_address: string, ...bytes: string[]): string {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
