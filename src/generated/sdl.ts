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
