export { isUseless, remove, rename } from './changes.ts';
export { authenticate, createLoginOptions } from './login.ts';
export { createRegistrationOptions, register } from './registration.ts';
