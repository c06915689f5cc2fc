/** schema/accounts.graphql */
export const ACCOUNTS_SDL = /* GraphQL */ `
type Query {
  "Whoever the access token of this request belongs to; null when it carries none that is valid."
  getUser: User
}

type Mutation {
  """
  Logs in through the service of that name and starts a session.

  authenticate(serviceName: "password", params: { user: { email: "ada@example.com" }, password: "…" })
  """
  authenticate(serviceName: String!, params: AuthenticateParamsInput!): LoginResult
  """
  Proves an identity as \`authenticate\` does, without starting a session. The proof of the session that the request
  carries is fresh again from then on, for what needs a recent login.
  """
  verifyAuthentication(serviceName: String!, params: AuthenticateParamsInput!): Boolean
  "Exchanges a pair of tokens for its successor. The access token may have expired; both must name one session."
  refreshTokens(accessToken: String!, refreshToken: String!): LoginResult
  "Ends the session of the access token that this request carries, also when that token has expired."
  logout: Boolean
  "Starts a short session as somebody else, if the application's \`impersonationAuthorize\` says so."
  impersonate(accessToken: String!, impersonated: ImpersonationUserIdentityInput!): ImpersonateReturn
}

type User {
  id: ID!
  emails: [EmailRecord!]
  username: String
}

type EmailRecord {
  "As it was written when it was added."
  address: String!
  verified: Boolean!
}

type Tokens {
  refreshToken: String!
  accessToken: String!
}

type LoginResult {
  sessionId: String!
  tokens: Tokens!
  user: User!
}

type ImpersonateReturn {
  authorized: Boolean!
  tokens: Tokens
  user: User
}

"Whom to log in: give one of the three."
input UserInput {
  id: ID
  email: String
  username: String
}

"What a service needs; each reads its own fields and ignores the others."
input AuthenticateParamsInput {
  access_token: String
  access_token_secret: String
  provider: String
  password: String
  user: UserInput
  code: String
  token: String
  state: String
  response: JSON
}

"A value of JSON, as it is."
scalar JSON

"Whom to impersonate: give one of the three."
input ImpersonationUserIdentityInput {
  userId: String
  username: String
  email: String
}
`;

/** schema/code.graphql */
export const CODE_SDL = /* GraphQL */ `
extend type Mutation {
  """
  Mails a code of six digits that logs in. The answer does not tell whether the address is known. Then:
  authenticate(serviceName: "code", params: { user: { email: "ada@example.com" }, code: "123456" })
  """
  requestLoginCode(email: String!): Boolean
}
`;

/** schema/magic-link.graphql */
export const MAGIC_LINK_SDL = /* GraphQL */ `
extend type Mutation {
  """
  Mails a link that logs in. The answer does not tell whether the address is known. The token of the link, its last
  path segment, then logs in: authenticate(serviceName: "magicLink", params: { token: "…" })
  """
  requestMagicLinkEmail(email: String!): Boolean
}
`;

/** schema/oauth.graphql */
export const OAUTH_SDL = /* GraphQL */ `
extend type Query {
  "The providers by which one can log in."
  oauthProviders: [OAuthProvider!]!
}

extend type Mutation {
  """
  Begins a login, or a link for the logged-in user. Send the browser to \`url\`, and keep \`state\`: the provider sends the
  browser back to \`redirectUri\` with \`code\` and \`state\`, with which \`authenticate\` or \`linkOAuth\` go on. Called by a page
  (with an \`Origin\`) it sets a cookie, without which the login cannot be finished.

  authenticate(serviceName: "oauth", params: { provider: "google", code: "…", state: "…" })
  """
  oauthStart(provider: String!, redirectUri: String): OAuthStart!
  "Links an account of a provider to the logged-in user, who can log in by it from then on."
  linkOAuth(provider: String!, code: String!, state: String!): Boolean!
  "Takes a linked account off the logged-in user. The last way in stays."
  unlinkOAuth(provider: String!, subject: String!): Boolean!
}

extend type User {
  "The accounts of providers by which the user can log in; null for everybody else."
  linkedAccounts: [LinkedAccount!]
}

type OAuthProvider {
  name: String!
  "What people call it."
  label: String!
}

type OAuthStart {
  "The provider's page to log in."
  url: String!
  "Opaque. The provider sends it back beside its code."
  state: String!
}

type LinkedAccount {
  provider: String!
  "What the provider calls the user, for ever."
  subject: String!
  "A name, an address, or the subject."
  label: String!
}
`;

/** schema/passkey.graphql */
export const PASSKEY_SDL = /* GraphQL */ `
extend type Query {
  "The passkeys of the logged-in user, oldest first."
  passkeys: [Passkey!]!
}

extend type Mutation {
  """
  What \`navigator.credentials.create\` needs to make a passkey for the logged-in user, who has to have logged in lately.
  Good for five minutes, for the session that asks, and until it asks again.
  """
  passkeyRegistrationOptions: JSON!
  "Keeps the passkey that was made with those options, under that name or one of ours."
  passkeyRegister(response: JSON!, name: String): Passkey!
  "Gives a passkey of the logged-in user another name."
  passkeyRename(id: ID!, name: String!): Passkey!
  "Removes a passkey of the logged-in user, who has to have logged in lately. The last way into the account stays."
  passkeyRemove(id: ID!): Boolean!
  """
  What \`navigator.credentials.get\` needs to log anybody in, without a name and also as autofill (conditional UI). Good
  once, for five minutes:

  authenticate(serviceName: "passkey", params: { token: "<challenge>", response: <what the browser answers> })
  """
  passkeyLoginOptions: PasskeyLoginOptions!
}

type Passkey {
  "The id of the credential, in base64url."
  id: ID!
  name: String!
  "In ISO 8601, UTC."
  createdAt: String!
  "The last login with it, in ISO 8601; null before the first."
  lastUsedAt: String
  "Whether it is synchronised, so that it outlives its device."
  backedUp: Boolean!
}

type PasskeyLoginOptions {
  options: JSON!
  challenge: String!
}
`;

/** schema/password.graphql */
export const PASSWORD_SDL = /* GraphQL */ `
extend type Mutation {
  """
  Signs up. While ambiguous errors are on, the answer is the same for new and for taken addresses, with both
  fields null; the owner of a taken address gets a mail.
  """
  createUser(user: CreateUserInput!): CreateUserResult
  "Proves an e-mail address by the token that was mailed to it."
  verifyEmail(token: String!): Boolean
  """
  Says, by the token that was mailed to verify an address, that whoever listed the address is somebody else. The address
  is taken off that account, and the account's sessions end.
  """
  rejectEmail(token: String!): Boolean!
  "Sets a new password by a mailed token, for a reset and for an enrolment. Every session of the user ends."
  resetPassword(token: String!, newPassword: String!): LoginResult
  "Mails a link that verifies the address. The answer does not tell whether the address is known."
  sendVerificationEmail(email: String!): Boolean
  "Mails a link that resets the password. The answer does not tell whether the address is known."
  sendResetPasswordEmail(email: String!): Boolean
  "Adds an address to the logged-in user. It counts once its link was confirmed."
  addEmail(newEmail: String!): Boolean
  "Takes an address from the logged-in user."
  removeEmail(email: String!): Boolean!
  "Gives the logged-in user a username, or another one."
  setUsername(newUsername: String!): Boolean!
  "Changes the password of the logged-in user. The user's other sessions end."
  changePassword(oldPassword: String!, newPassword: String!): Boolean
}

type CreateUserResult {
  "Null while ambiguous errors are on."
  userId: ID
  "The session of the new user, if autologin is on."
  loginResult: LoginResult
}

input CreateUserInput {
  username: String
  email: String
  password: String
}
`;

/** schema/two-factor.graphql */
export const TWO_FACTOR_SDL = /* GraphQL */ `
extend type Query {
  """
  A new secret for an authenticator, of a user who has no second factor yet. It counts once \`twoFactorSet\` has proved
  it by a code, within 15 minutes. Needs a recent login.
  """
  twoFactorSecret: TwoFactorSecretKey
}

extend type Mutation {
  """
  Turns the second factor on, by a code of an authenticator that holds a secret of \`twoFactorSecret\`. The server knows
  that secret: the argument \`secret\` is there for clients of accounts-js and means nothing. The user's other sessions
  end. Needs a recent login.
  """
  twoFactorSet(secret: TwoFactorSecretKeyInput, code: String!): Boolean
  """
  Turns the second factor off, by a code of the authenticator or a recovery code. The user's other sessions end. Needs
  a recent login.
  """
  twoFactorUnset(code: String!): Boolean
  """
  Ten codes, each of which takes the place of the authenticator once. They are shown this time only, and void all that
  were made before. Needs a recent login.
  """
  generateRecoveryCodes: [String!]!
}

extend type User {
  "Whether a login asks for a second factor. Null for everybody but the user."
  twoFactorEnabled: Boolean
}

"A secret in the forms in which authenticators take it."
type TwoFactorSecretKey {
  "Null: the secret is random bytes, which are no text."
  ascii: String
  "To be typed into an authenticator."
  base32: String
  hex: String
  "Null, as are the next two: accounts-js had a foreign service draw them, which then knew the secret."
  qr_code_ascii: String
  qr_code_hex: String
  qr_code_base32: String
  "A QR code of \`otpauth_url\`: a \`data:\` URL of an SVG image, made by this server."
  google_auth_qr: String
  otpauth_url: String
}

"What clients of accounts-js send. None of it is read."
input TwoFactorSecretKeyInput {
  ascii: String
  base32: String
  hex: String
  qr_code_ascii: String
  qr_code_hex: String
  qr_code_base32: String
  google_auth_qr: String
  otpauth_url: String
}
`;
