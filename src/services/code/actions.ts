export { authenticate } from './authentication.ts';
export { requestLoginCode } from './request.ts';
