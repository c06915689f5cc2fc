// Loaded into each example: an operation of the library that fails as no caller can make it fail.
import { AccountsServer } from 'graphql-accounts';

AccountsServer.prototype.impersonate = async () => {
  throw new Error('no connection to postgres://ada:secret@db');
};
