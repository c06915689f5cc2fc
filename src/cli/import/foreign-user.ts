/**
 * A user as another system has stored it, whatever kind of database that was. Nothing in it has been checked: every
 * value is what was found.
 */
export interface ForeignUser {
  /** Tells the rows of one source apart, also two whose ids are the same text. */
  key: string;
  /** What applications knew the user by; null where that is not text. */
  id: string | null;
  /** What to call the row in a report. */
  label: string;
  username: unknown;
  emails: unknown;
  /** By name, which may stand there twice. */
  services: readonly (readonly [name: string, value: unknown])[];
  deactivated: unknown;
  createdAt: unknown;
  updatedAt: unknown;
  /** What the application has added to the row. */
  custom: { readonly [field: string]: unknown };
}

/** A database that users come from. */
export interface UserSource {
  /** All of them in the order of their ids, in batches. Can be read more than once. */
  users(): AsyncIterable<ForeignUser[]>;
  close(): Promise<void>;
}
