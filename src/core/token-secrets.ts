/** Long enough, but printed on well-known pages. */
const KNOWN_SECRETS = new Set([
  'a-string-secret-at-least-256-bits-long',
  'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
  'your-256-bit-secret-your-256-bit-secret',
  'your-super-secret-jwt-token-with-at-least-32-characters-long',
  'super-secret-jwt-token-with-at-least-32-characters-long',
  'please-change-me-to-a-long-random-secret',
  'change-me-change-me-change-me-change-me',
  'MyReallySuperSecretSecretThatNobodyKnows',
]);

export function isPem(text: string): boolean {
  return text.trimStart().startsWith('-----BEGIN ');
}

/** Why a text is no secret to sign with (S25); null where it may be. Runs on Web APIs alone. */
export function secretProblem(secret: string): string | null {
  if (new TextEncoder().encode(secret).length < 32) return 'must have 32 bytes or more (RFC 7518, 3.2)';
  if (KNOWN_SECRETS.has(secret)) return 'is an example from public documentation';
  // A public key that is taken for a secret lets everybody sign who has it.
  if (isPem(secret))
    return 'is a key in PEM and no secret: give { publicKey }, with privateKey where it signs';
  return null;
}
