export { AccountsError, type AccountsErrorCode } from '../errors.ts';
export type { AccessTokenKey, PublicKey, VerificationAlgorithm } from './keys.ts';
export { type VerifiedAccessToken, type VerifyOptions, verifyAccessToken } from './verify-access-token.ts';
