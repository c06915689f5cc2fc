import { isIP } from 'node:net';

/**
 * What of a client's address is counted: an IPv4 address, or the /64 network of an IPv6 address, of which its owner
 * has 2^64 others (S12). Clients without an address share one budget.
 */
export function networkOf(address: string | null): string {
  if (address === null) return 'unknown';
  const [bare = ''] = address.toLowerCase().split('%');
  if (isIP(bare) !== 6) return bare;
  const mapped = /^::(?:ffff:)?(\d+(?:\.\d+){3})$/.exec(bare)?.[1];
  return mapped ?? `${groupsOf(bare).slice(0, 4).join(':')}::/64`;
}

/** The eight groups of an address, without leading zeros. */
function groupsOf(address: string): string[] {
  // The last two groups may be written as an IPv4 address, which is outside of the network's half.
  const [head = '', tail] = address.replace(/\d+(?:\.\d+){3}$/, '0:0').split('::');
  const [before, after] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const missing = 8 - (before?.length ?? 0) - (after?.length ?? 0);
  const filled = [...(before ?? []), ...Array<string>(missing).fill('0'), ...(after ?? [])];
  return filled.map((group) => Number.parseInt(group, 16).toString(16));
}
