const LOGIN_RESULT =
  '{ sessionId tokens { accessToken refreshToken } user { id username emails { address verified } } }';

export const CREATE_USER = `mutation ($user: CreateUserInput!) { createUser(user: $user) { userId loginResult ${LOGIN_RESULT} } }`;
export const AUTHENTICATE = `mutation ($serviceName: String!, $params: AuthenticateParamsInput!) { authenticate(serviceName: $serviceName, params: $params) ${LOGIN_RESULT} }`;
export const REFRESH = `mutation ($accessToken: String!, $refreshToken: String!) { refreshTokens(accessToken: $accessToken, refreshToken: $refreshToken) { tokens { accessToken refreshToken } } }`;
export const LOGOUT = 'mutation { logout }';
export const GET_USER = '{ getUser { id username emails { address verified } } }';
export const SEND_RESET = 'mutation ($email: String!) { sendResetPasswordEmail(email: $email) }';
export const RESET = `mutation ($token: String!, $newPassword: String!) { resetPassword(token: $token, newPassword: $newPassword) ${LOGIN_RESULT} }`;
export const SEND_VERIFICATION = 'mutation ($email: String!) { sendVerificationEmail(email: $email) }';
export const VERIFY = 'mutation ($token: String!) { verifyEmail(token: $token) }';
export const CHANGE_PASSWORD =
  'mutation ($oldPassword: String!, $newPassword: String!) { changePassword(oldPassword: $oldPassword, newPassword: $newPassword) }';
