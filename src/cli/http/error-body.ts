import { type AccountsErrorCode, ERROR_MESSAGES } from '../../errors.ts';

export const JSON_TYPE = 'application/json; charset=utf-8';

/** The body by which a request is refused before it has reached GraphQL: one error, as GraphQL writes it. */
export function errorBody(code: AccountsErrorCode, message: string = ERROR_MESSAGES[code]): string {
  return JSON.stringify({ errors: [{ message, extensions: { code } }] });
}
