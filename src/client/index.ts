export {
  type AccountsClient,
  type AccountsClientOptions,
  createAccountsClient,
  type PasswordLogin,
} from './accounts-client.ts';
export { AccountsClientError } from './error.ts';
export {
  type BrowserStorageOptions,
  browserStorage,
  memoryStorage,
  type StoredTokens,
  type TokenStorage,
} from './storage.ts';
