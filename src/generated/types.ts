export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string };
  String: { input: string; output: string };
  Boolean: { input: boolean; output: boolean };
  Int: { input: number; output: number };
  Float: { input: number; output: number };
  /** A value of JSON, as it is. */
  JSON: { input: unknown; output: unknown };
};

/** What a service needs; each reads its own fields and ignores the others. */
export type AuthenticateParamsInput = {
  access_token?: InputMaybe<Scalars['String']['input']>;
  access_token_secret?: InputMaybe<Scalars['String']['input']>;
  code?: InputMaybe<Scalars['String']['input']>;
  password?: InputMaybe<Scalars['String']['input']>;
  provider?: InputMaybe<Scalars['String']['input']>;
  response?: InputMaybe<Scalars['JSON']['input']>;
  state?: InputMaybe<Scalars['String']['input']>;
  token?: InputMaybe<Scalars['String']['input']>;
  user?: InputMaybe<UserInput>;
};

export type CreateUserInput = {
  email?: InputMaybe<Scalars['String']['input']>;
  password?: InputMaybe<Scalars['String']['input']>;
  username?: InputMaybe<Scalars['String']['input']>;
};

export type CreateUserResult = {
  /** The session of the new user, if autologin is on. */
  loginResult?: Maybe<LoginResult>;
  /** Null while ambiguous errors are on. */
  userId?: Maybe<Scalars['ID']['output']>;
};

export type EmailRecord = {
  /** As it was written when it was added. */
  address: Scalars['String']['output'];
  verified: Scalars['Boolean']['output'];
};

export type ImpersonateReturn = {
  authorized: Scalars['Boolean']['output'];
  tokens?: Maybe<Tokens>;
  user?: Maybe<User>;
};

/** Whom to impersonate: give one of the three. */
export type ImpersonationUserIdentityInput = {
  email?: InputMaybe<Scalars['String']['input']>;
  userId?: InputMaybe<Scalars['String']['input']>;
  username?: InputMaybe<Scalars['String']['input']>;
};

export type LoginResult = {
  sessionId: Scalars['String']['output'];
  tokens: Tokens;
  user: User;
};

export type Mutation = {
  /** Adds an address to the logged-in user. It counts once its link was confirmed. */
  addEmail?: Maybe<Scalars['Boolean']['output']>;
  /**
   * Logs in through the service of that name and starts a session.
   *
   * authenticate(serviceName: "password", params: { user: { email: "ada@example.com" }, password: "…" })
   */
  authenticate?: Maybe<LoginResult>;
  /** Changes the password of the logged-in user. The user's other sessions end. */
  changePassword?: Maybe<Scalars['Boolean']['output']>;
  /**
   * Signs up. While ambiguous errors are on, the answer is the same for new and for taken addresses, with both
   * fields null; the owner of a taken address gets a mail.
   */
  createUser?: Maybe<CreateUserResult>;
  /** Starts a short session as somebody else, if the application's `impersonationAuthorize` says so. */
  impersonate?: Maybe<ImpersonateReturn>;
  /** Ends the session of the access token that this request carries, also when that token has expired. */
  logout?: Maybe<Scalars['Boolean']['output']>;
  /** Exchanges a pair of tokens for its successor. The access token may have expired; both must name one session. */
  refreshTokens?: Maybe<LoginResult>;
  /** Takes an address from the logged-in user. */
  removeEmail: Scalars['Boolean']['output'];
  /** Sets a new password by a mailed token, for a reset and for an enrolment. Every session of the user ends. */
  resetPassword?: Maybe<LoginResult>;
  /** Mails a link that resets the password. The answer does not tell whether the address is known. */
  sendResetPasswordEmail?: Maybe<Scalars['Boolean']['output']>;
  /** Mails a link that verifies the address. The answer does not tell whether the address is known. */
  sendVerificationEmail?: Maybe<Scalars['Boolean']['output']>;
  /** Gives the logged-in user a username, or another one. */
  setUsername: Scalars['Boolean']['output'];
  /**
   * Proves an identity as `authenticate` does, without starting a session. The proof of the session that the request
   * carries is fresh again from then on, for what needs a recent login.
   */
  verifyAuthentication?: Maybe<Scalars['Boolean']['output']>;
  /** Proves an e-mail address by the token that was mailed to it. */
  verifyEmail?: Maybe<Scalars['Boolean']['output']>;
};

export type MutationAddEmailArgs = {
  newEmail: Scalars['String']['input'];
};

export type MutationAuthenticateArgs = {
  params: AuthenticateParamsInput;
  serviceName: Scalars['String']['input'];
};

export type MutationChangePasswordArgs = {
  newPassword: Scalars['String']['input'];
  oldPassword: Scalars['String']['input'];
};

export type MutationCreateUserArgs = {
  user: CreateUserInput;
};

export type MutationImpersonateArgs = {
  accessToken: Scalars['String']['input'];
  impersonated: ImpersonationUserIdentityInput;
};

export type MutationRefreshTokensArgs = {
  accessToken: Scalars['String']['input'];
  refreshToken: Scalars['String']['input'];
};

export type MutationRemoveEmailArgs = {
  email: Scalars['String']['input'];
};

export type MutationResetPasswordArgs = {
  newPassword: Scalars['String']['input'];
  token: Scalars['String']['input'];
};

export type MutationSendResetPasswordEmailArgs = {
  email: Scalars['String']['input'];
};

export type MutationSendVerificationEmailArgs = {
  email: Scalars['String']['input'];
};

export type MutationSetUsernameArgs = {
  newUsername: Scalars['String']['input'];
};

export type MutationVerifyAuthenticationArgs = {
  params: AuthenticateParamsInput;
  serviceName: Scalars['String']['input'];
};

export type MutationVerifyEmailArgs = {
  token: Scalars['String']['input'];
};

export type Query = {
  /** Whoever the access token of this request belongs to; null when it carries none that is valid. */
  getUser?: Maybe<User>;
};

export type Tokens = {
  accessToken: Scalars['String']['output'];
  refreshToken: Scalars['String']['output'];
};

export type User = {
  emails?: Maybe<Array<EmailRecord>>;
  id: Scalars['ID']['output'];
  username?: Maybe<Scalars['String']['output']>;
};

/** Whom to log in: give one of the three. */
export type UserInput = {
  email?: InputMaybe<Scalars['String']['input']>;
  id?: InputMaybe<Scalars['ID']['input']>;
  username?: InputMaybe<Scalars['String']['input']>;
};
