export { addEmail, addVerifiedEmail, removeEmail } from './addresses.ts';
export { authenticate } from './authentication.ts';
export { changePassword, setPassword } from './change-password.ts';
export { createUser } from './registration.ts';
export { rejectEmail } from './reject-email.ts';
export { resetPassword, sendEnrollmentEmail, sendResetPasswordEmail } from './reset-password.ts';
export { setUsername } from './username.ts';
export { sendVerificationEmail, verifyEmail } from './verify-email.ts';
