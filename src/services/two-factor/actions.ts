export { findEnrolment } from './enrolment.ts';
export { generateRecoveryCodes } from './generate-recovery-codes.ts';
export { toSecretKey } from './secret-key.ts';
export { createSecret, setFactor } from './set.ts';
export { removeFactor, unsetFactor } from './unset.ts';
export { verifyCode } from './verification.ts';
