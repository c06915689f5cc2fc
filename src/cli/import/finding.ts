/** Why a user does not come over. */
export type RefusalCode =
  | 'INVALID_ID'
  | 'INVALID_USERNAME'
  | 'INVALID_EMAIL'
  | 'INVALID_SERVICE'
  | 'INVALID_PASSWORD'
  | 'INVALID_SECOND_FACTOR'
  | 'UNKNOWN_SECOND_FACTOR'
  | 'INVALID_DEACTIVATED'
  | 'ID_CONFLICT'
  | 'EMAIL_CONFLICT'
  | 'USERNAME_CONFLICT'
  | 'OAUTH_CONFLICT'
  | 'EMAIL_TAKEN'
  | 'USERNAME_TAKEN'
  | 'OAUTH_TAKEN';

/** What of a user does not come over, or not as it was. */
export type LossCode =
  | 'UNKNOWN_SERVICE'
  | 'UNKNOWN_FIELD'
  | 'PROVIDER_TOKEN'
  | 'PASSWORD_FORMAT'
  | 'NOT_JSON'
  | 'FIELD_CLASH'
  | 'TOO_LARGE'
  | 'INVALID_TIME';

/** One reason. Names fields and never values: reports are sent around. */
export interface Finding<Code extends string = RefusalCode | LossCode> {
  code: Code;
  reason: string;
  field?: string | undefined;
  /** The old ids of the others that it is about. */
  others?: readonly string[] | undefined;
}

export type Refusal = Finding<RefusalCode>;
export type Loss = Finding<LossCode>;
