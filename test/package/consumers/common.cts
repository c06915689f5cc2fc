// CommonJS, by Node's require(esm).
import accounts = require('graphql-accounts');
import verify = require('graphql-accounts/verify');
import database = require('graphql-accounts/database/memory');

const accountsServer = new accounts.AccountsServer(
  { db: database.memoryDatabase(), tokenSecret: process.env.TOKEN_SECRET },
  { password: accounts.password() },
);
export const found: Promise<accounts.User | null> = accountsServer.findUserById('x');
export const verified: Promise<verify.VerifiedAccessToken> = verify.verifyAccessToken('x', { key: 'x' });
