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

export type LinkedAccount = {
  /** A name, an address, or the subject. */
  label: Scalars['String']['output'];
  provider: Scalars['String']['output'];
  /** What the provider calls the user, for ever. */
  subject: Scalars['String']['output'];
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
  /**
   * Ten codes, each of which takes the place of the authenticator once. They are shown this time only, and void all that
   * were made before. Needs a recent login.
   */
  generateRecoveryCodes: Array<Scalars['String']['output']>;
  /** Starts a short session as somebody else, if the application's `impersonationAuthorize` says so. */
  impersonate?: Maybe<ImpersonateReturn>;
  /** Links an account of a provider to the logged-in user, who can log in by it from then on. */
  linkOAuth: Scalars['Boolean']['output'];
  /** Ends the session of the access token that this request carries, also when that token has expired. */
  logout?: Maybe<Scalars['Boolean']['output']>;
  /**
   * Begins a login, or a link for the logged-in user. Send the browser to `url`, and keep `state`: the provider sends the
   * browser back to `redirectUri` with `code` and `state`, with which `authenticate` or `linkOAuth` go on. Called by a page
   * (with an `Origin`) it sets a cookie, without which the login cannot be finished.
   *
   * authenticate(serviceName: "oauth", params: { provider: "google", code: "…", state: "…" })
   */
  oauthStart: OAuthStart;
  /**
   * What `navigator.credentials.get` needs to log anybody in, without a name and also as autofill (conditional UI). Good
   * once, for five minutes:
   *
   * authenticate(serviceName: "passkey", params: { token: "<challenge>", response: <what the browser answers> })
   */
  passkeyLoginOptions: PasskeyLoginOptions;
  /** Keeps the passkey that was made with those options, under that name or one of ours. */
  passkeyRegister: Passkey;
  /**
   * What `navigator.credentials.create` needs to make a passkey for the logged-in user, who has to have logged in lately.
   * Good for five minutes, for the session that asks, and until it asks again.
   */
  passkeyRegistrationOptions: Scalars['JSON']['output'];
  /** Removes a passkey of the logged-in user, who has to have logged in lately. The last way into the account stays. */
  passkeyRemove: Scalars['Boolean']['output'];
  /** Gives a passkey of the logged-in user another name. */
  passkeyRename: Passkey;
  /** Exchanges a pair of tokens for its successor. The access token may have expired; both must name one session. */
  refreshTokens?: Maybe<LoginResult>;
  /**
   * Says, by the token that was mailed to verify an address, that whoever listed the address is somebody else. The address
   * is taken off that account, and the account's sessions end.
   */
  rejectEmail: Scalars['Boolean']['output'];
  /** Takes an address from the logged-in user. */
  removeEmail: Scalars['Boolean']['output'];
  /**
   * Mails a code of six digits that logs in. The answer does not tell whether the address is known. Then:
   * authenticate(serviceName: "code", params: { user: { email: "ada@example.com" }, code: "123456" })
   */
  requestLoginCode?: Maybe<Scalars['Boolean']['output']>;
  /**
   * Mails a link that logs in. The answer does not tell whether the address is known. The token of the link, its last
   * path segment, then logs in: authenticate(serviceName: "magicLink", params: { token: "…" })
   */
  requestMagicLinkEmail?: Maybe<Scalars['Boolean']['output']>;
  /** Sets a new password by a mailed token, for a reset and for an enrolment. Every session of the user ends. */
  resetPassword?: Maybe<LoginResult>;
  /** Mails a link that resets the password. The answer does not tell whether the address is known. */
  sendResetPasswordEmail?: Maybe<Scalars['Boolean']['output']>;
  /** Mails a link that verifies the address. The answer does not tell whether the address is known. */
  sendVerificationEmail?: Maybe<Scalars['Boolean']['output']>;
  /** Gives the logged-in user a username, or another one. */
  setUsername: Scalars['Boolean']['output'];
  /**
   * Turns the second factor on, by a code of an authenticator that holds a secret of `twoFactorSecret`. The server knows
   * that secret: the argument `secret` is there for clients of accounts-js and means nothing. The user's other sessions
   * end. Needs a recent login.
   */
  twoFactorSet?: Maybe<Scalars['Boolean']['output']>;
  /**
   * Turns the second factor off, by a code of the authenticator or a recovery code. The user's other sessions end. Needs
   * a recent login.
   */
  twoFactorUnset?: Maybe<Scalars['Boolean']['output']>;
  /** Takes a linked account off the logged-in user. The last way in stays. */
  unlinkOAuth: Scalars['Boolean']['output'];
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

export type MutationLinkOAuthArgs = {
  code: Scalars['String']['input'];
  provider: Scalars['String']['input'];
  state: Scalars['String']['input'];
};

export type MutationOauthStartArgs = {
  provider: Scalars['String']['input'];
  redirectUri?: InputMaybe<Scalars['String']['input']>;
};

export type MutationPasskeyRegisterArgs = {
  name?: InputMaybe<Scalars['String']['input']>;
  response: Scalars['JSON']['input'];
};

export type MutationPasskeyRemoveArgs = {
  id: Scalars['ID']['input'];
};

export type MutationPasskeyRenameArgs = {
  id: Scalars['ID']['input'];
  name: Scalars['String']['input'];
};

export type MutationRefreshTokensArgs = {
  accessToken: Scalars['String']['input'];
  refreshToken: Scalars['String']['input'];
};

export type MutationRejectEmailArgs = {
  token: Scalars['String']['input'];
};

export type MutationRemoveEmailArgs = {
  email: Scalars['String']['input'];
};

export type MutationRequestLoginCodeArgs = {
  email: Scalars['String']['input'];
};

export type MutationRequestMagicLinkEmailArgs = {
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

export type MutationTwoFactorSetArgs = {
  code: Scalars['String']['input'];
  secret?: InputMaybe<TwoFactorSecretKeyInput>;
};

export type MutationTwoFactorUnsetArgs = {
  code: Scalars['String']['input'];
};

export type MutationUnlinkOAuthArgs = {
  provider: Scalars['String']['input'];
  subject: Scalars['String']['input'];
};

export type MutationVerifyAuthenticationArgs = {
  params: AuthenticateParamsInput;
  serviceName: Scalars['String']['input'];
};

export type MutationVerifyEmailArgs = {
  token: Scalars['String']['input'];
};

export type OAuthProvider = {
  /** What people call it. */
  label: Scalars['String']['output'];
  name: Scalars['String']['output'];
};

export type OAuthStart = {
  /** Opaque. The provider sends it back beside its code. */
  state: Scalars['String']['output'];
  /** The provider's page to log in. */
  url: Scalars['String']['output'];
};

export type Passkey = {
  /** Whether it is synchronised, so that it outlives its device. */
  backedUp: Scalars['Boolean']['output'];
  /** In ISO 8601, UTC. */
  createdAt: Scalars['String']['output'];
  /** The id of the credential, in base64url. */
  id: Scalars['ID']['output'];
  /** The last login with it, in ISO 8601; null before the first. */
  lastUsedAt?: Maybe<Scalars['String']['output']>;
  name: Scalars['String']['output'];
};

export type PasskeyLoginOptions = {
  challenge: Scalars['String']['output'];
  options: Scalars['JSON']['output'];
};

export type Query = {
  /** Whoever the access token of this request belongs to; null when it carries none that is valid. */
  getUser?: Maybe<User>;
  /** The providers by which one can log in. */
  oauthProviders: Array<OAuthProvider>;
  /** The passkeys of the logged-in user, oldest first. */
  passkeys: Array<Passkey>;
  /**
   * A new secret for an authenticator, of a user who has no second factor yet. It counts once `twoFactorSet` has proved
   * it by a code, within 15 minutes. Needs a recent login.
   */
  twoFactorSecret?: Maybe<TwoFactorSecretKey>;
};

export type Tokens = {
  accessToken: Scalars['String']['output'];
  refreshToken: Scalars['String']['output'];
};

/** A secret in the forms in which authenticators take it. */
export type TwoFactorSecretKey = {
  /** Null: the secret is random bytes, which are no text. */
  ascii?: Maybe<Scalars['String']['output']>;
  /** To be typed into an authenticator. */
  base32?: Maybe<Scalars['String']['output']>;
  /** A QR code of `otpauth_url`: a `data:` URL of an SVG image, made by this server. */
  google_auth_qr?: Maybe<Scalars['String']['output']>;
  hex?: Maybe<Scalars['String']['output']>;
  otpauth_url?: Maybe<Scalars['String']['output']>;
  /** Null, as are the next two: accounts-js had a foreign service draw them, which then knew the secret. */
  qr_code_ascii?: Maybe<Scalars['String']['output']>;
  qr_code_base32?: Maybe<Scalars['String']['output']>;
  qr_code_hex?: Maybe<Scalars['String']['output']>;
};

/** What clients of accounts-js send. None of it is read. */
export type TwoFactorSecretKeyInput = {
  ascii?: InputMaybe<Scalars['String']['input']>;
  base32?: InputMaybe<Scalars['String']['input']>;
  google_auth_qr?: InputMaybe<Scalars['String']['input']>;
  hex?: InputMaybe<Scalars['String']['input']>;
  otpauth_url?: InputMaybe<Scalars['String']['input']>;
  qr_code_ascii?: InputMaybe<Scalars['String']['input']>;
  qr_code_base32?: InputMaybe<Scalars['String']['input']>;
  qr_code_hex?: InputMaybe<Scalars['String']['input']>;
};

export type User = {
  emails?: Maybe<Array<EmailRecord>>;
  id: Scalars['ID']['output'];
  /** The accounts of providers by which the user can log in; null for everybody else. */
  linkedAccounts?: Maybe<Array<LinkedAccount>>;
  /** Whether a login asks for a second factor. Null for everybody but the user. */
  twoFactorEnabled?: Maybe<Scalars['Boolean']['output']>;
  username?: Maybe<Scalars['String']['output']>;
};

/** Whom to log in: give one of the three. */
export type UserInput = {
  email?: InputMaybe<Scalars['String']['input']>;
  id?: InputMaybe<Scalars['ID']['input']>;
  username?: InputMaybe<Scalars['String']['input']>;
};
