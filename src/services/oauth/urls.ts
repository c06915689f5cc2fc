import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

/** Networks that are not the internet's: RFC 6890. */
const INTERNAL = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  INTERNAL.addSubnet(network, bits);
}
for (const [network, bits] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  INTERNAL.addSubnet(network, bits, 'ipv6');
}

export function isLoopback(url: URL): boolean {
  return hostOf(url) === 'localhost' || contains(LOOPBACK, url);
}

/** Whether secrets may travel there: with TLS, or within this machine. */
export function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
}

/**
 * Whether a provider may name this endpoint. One on the internet must not send the server to hosts within its own
 * network (SSRF).
 */
export function mayName(provider: URL, endpoint: URL): boolean {
  return isSecure(endpoint) && (isInternal(provider) || !isInternal(endpoint));
}

function isInternal(url: URL): boolean {
  return /(^|\.)(localhost|internal|local)$/.test(hostOf(url)) || contains(INTERNAL, url);
}

function contains(list: BlockList, url: URL): boolean {
  const host = hostOf(url);
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$|\.$/g, '');
}
