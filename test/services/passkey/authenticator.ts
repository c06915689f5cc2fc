// The library that the service loads at its first use. Loaded here, its compilation is no part of the first operation's time.
import '@simplewebauthn/server';
import '@simplewebauthn/server/helpers';
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** What tests change of an answer, to attack with it. */
export interface Twist {
  type?: string;
  challenge?: string;
  origin?: string;
  crossOrigin?: boolean;
  topOrigin?: string;
  rpId?: string;
  userPresent?: boolean;
  userVerified?: boolean;
  backupEligible?: boolean;
  backedUp?: boolean;
  counter?: number;
  /** Signs with another key. */
  key?: KeyObject;
  userHandle?: string | undefined;
  id?: string;
  fmt?: string;
  attStmt?: Cbor;
  coseKey?: Map<number, Cbor>;
}

type Cbor = string | number | Uint8Array | Map<string | number, Cbor> | Cbor[];

interface RegistrationOptions {
  challenge: string;
  rp: { id: string };
  user: { id: string };
}

interface LoginOptions {
  challenge: string;
  rpId: string;
}

/**
 * A passkey in software, which signs whatever it is told to (WebAuthn Level 3, ES256): what a test sends is exactly what
 * it means to send.
 */
export class Authenticator {
  readonly id: string;
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #origin: string;
  counter = 0;
  /** Of the account that the passkey was made for. */
  userHandle = '';

  constructor(origin = 'http://localhost:3000', id = randomBytes(16).toString('base64url')) {
    this.#origin = origin;
    this.id = id;
  }

  /** What `navigator.credentials.create` answers, as JSON. */
  create(options: unknown, twist: Twist = {}) {
    const { challenge, rp, user } = options as RegistrationOptions;
    this.userHandle = user.id;
    const credentialId = Buffer.from(twist.id ?? this.id, 'base64url');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(credentialId.length);
    const authData = Buffer.concat([
      this.#authenticatorData(rp.id, 0x40, twist),
      Buffer.alloc(16),
      length,
      credentialId,
      twist.coseKey ? cbor(twist.coseKey) : this.#coseKey(),
    ]);
    const attestation = new Map<string, Cbor>([
      ['fmt', twist.fmt ?? 'none'],
      ['attStmt', twist.attStmt ?? new Map()],
      ['authData', authData],
    ]);
    return {
      id: this.id,
      rawId: this.id,
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        clientDataJSON: base64url(this.#clientData({ type: 'webauthn.create', challenge, ...twist })),
        attestationObject: base64url(cbor(attestation)),
        transports: ['internal'],
      },
    };
  }

  /** What `navigator.credentials.get` answers, as JSON. */
  get(options: unknown, twist: Twist = {}) {
    const { challenge, rpId } = options as LoginOptions;
    const clientData = this.#clientData({ type: 'webauthn.get', challenge, ...twist });
    const authData = this.#authenticatorData(rpId, 0, twist);
    const hash = createHash('sha256').update(clientData).digest();
    const signature = sign('sha256', Buffer.concat([authData, hash]), twist.key ?? this.#keys.privateKey);
    const id = twist.id ?? this.id;
    return {
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        clientDataJSON: base64url(clientData),
        authenticatorData: base64url(authData),
        signature: base64url(signature),
        userHandle: 'userHandle' in twist ? twist.userHandle : this.userHandle,
      },
    };
  }

  #clientData({ type, challenge, origin = this.#origin, crossOrigin = false, topOrigin }: Twist): string {
    return JSON.stringify({ type, challenge, origin, crossOrigin, topOrigin });
  }

  #authenticatorData(rpId: string, more: number, twist: Twist): Buffer {
    const { userPresent = true, userVerified = true, backupEligible = false, backedUp = false } = twist;
    const flags =
      more |
      (userPresent ? 0x01 : 0) |
      (userVerified ? 0x04 : 0) |
      (backupEligible ? 0x08 : 0) |
      (backedUp ? 0x10 : 0);
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(twist.counter ?? this.counter);
    return Buffer.concat([
      createHash('sha256')
        .update(twist.rpId ?? rpId)
        .digest(),
      Buffer.from([flags]),
      counter,
    ]);
  }

  #coseKey(): Buffer {
    const { x = '', y = '' } = this.#keys.publicKey.export({ format: 'jwk' });
    return cbor(
      new Map<number, Cbor>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, 'base64url')],
        [-3, Buffer.from(y, 'base64url')],
      ]),
    );
  }
}

export function base64url(data: string | Uint8Array): string {
  return Buffer.from(data).toString('base64url');
}

/** As much of RFC 8949 as an authenticator needs. */
export function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  return Buffer.concat([
    head(5, value.size),
    ...[...value].flatMap(([key, item]) => [cbor(key), cbor(item)]),
  ]);
}

function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 256) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 255]);
}
