export { authenticate } from './authentication.ts';
export { requestMagicLinkEmail } from './request.ts';
