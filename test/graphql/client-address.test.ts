import { describe, expect, test } from 'vitest';
import { clientAddress } from '../../src/graphql/request/client-address.ts';

const from = (remoteAddress: string | undefined, forwarded?: unknown) => ({
  headers: { 'x-forwarded-for': forwarded },
  socket: { remoteAddress },
});

describe('S12 the address of a client', () => {
  test('is that of the socket, and no header changes it', () => {
    const addressOf = clientAddress();
    expect(addressOf(from('203.0.113.7', '198.51.100.1'))).toBe('203.0.113.7');
    expect(addressOf(from('2001:db8::1'))).toBe('2001:db8::1');
    expect(addressOf(from('::ffff:203.0.113.7'))).toBe('203.0.113.7');
    expect(addressOf(from(undefined, '198.51.100.1'))).toBeNull();
    expect(addressOf({ headers: {} })).toBeNull();
    expect(addressOf({ headers: {}, socket: null })).toBeNull();
  });

  test('is forwarded by a trusted proxy only', () => {
    const addressOf = clientAddress(['10.0.0.0/8', '::1', '::ffff:192.0.2.1']);
    expect(addressOf(from('203.0.113.7', '198.51.100.1'))).toBe('203.0.113.7');
    expect(addressOf(from('10.1.2.3', '198.51.100.1'))).toBe('198.51.100.1');
    expect(addressOf(from('::1', '198.51.100.1'))).toBe('198.51.100.1');
    expect(addressOf(from('::ffff:10.1.2.3', '::ffff:198.51.100.1'))).toBe('198.51.100.1');
    expect(addressOf(from('192.0.2.1', '2001:db8::7'))).toBe('2001:db8::7');
    expect(addressOf(from('10.1.2.3'))).toBe('10.1.2.3');
  });

  test('is the one before the last trusted proxy, whatever the client wrote in front of it', () => {
    const addressOf = clientAddress(['10.0.0.0/8']);
    expect(addressOf(from('10.0.0.1', '1.1.1.1, 198.51.100.1 ,10.0.0.2'))).toBe('198.51.100.1');
    expect(addressOf(from('10.0.0.1', '10.0.0.3, 10.0.0.2'))).toBe('10.0.0.3');
    expect(addressOf(from('10.0.0.1', 'unknown, 198.51.100.1'))).toBe('198.51.100.1');
    expect(addressOf(from('10.0.0.1', '198.51.100.1:4711'))).toBe('198.51.100.1');
    expect(addressOf(from('10.0.0.1', '[2001:db8::7]:4711'))).toBe('2001:db8::7');
  });

  test('is the proxy where the header cannot be believed', () => {
    const addressOf = clientAddress(['10.0.0.0/8']);
    for (const forwarded of ['', ',', 'unknown', '198.51.100.1, ', '999.1.1.1', ['198.51.100.1'], 7, {}])
      expect(addressOf(from('10.0.0.1', forwarded))).toBe('10.0.0.1');
    expect(addressOf(from('10.0.0.1', `junk, 10.0.0.2`))).toBe('10.0.0.2');
  });

  test('is wanted from proxies that are addresses or CIDRs', () => {
    for (const proxy of ['proxy', '10.0.0.0/33', '10.0.0.0/', '::1/129', '10.0.0.0/8/8', '', '10.0.0.0/-1'])
      expect(() => clientAddress([proxy])).toThrow(TypeError);
    expect(() => clientAddress('127.0.0.1' as never)).toThrow('trustedProxies must be a list');
  });
});
