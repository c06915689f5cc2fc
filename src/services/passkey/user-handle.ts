import { createHash } from 'node:crypto';

/**
 * What a passkey knows its owner by. It lies readable on the authenticator, so that it says nothing about the account
 * (WebAuthn, 14.6.1), and has 64 bytes at most, which ids that were brought over may exceed.
 */
export function userHandleOf(userId: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(`graphql-accounts passkey ${userId}`).digest());
}

export function isUserHandleOf(userId: string, handle: string): boolean {
  return Buffer.from(userHandleOf(userId)).toString('base64url') === handle;
}
