export type { TokenAlgorithm as VerificationAlgorithm } from '../core/key-names.ts';
export { AccountsError, type AccountsErrorCode } from '../errors.ts';
export type { AccessTokenKey, PublicKey } from './keys.ts';
export { type VerifiedAccessToken, type VerifyOptions, verifyAccessToken } from './verify-access-token.ts';
