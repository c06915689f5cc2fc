/** The tables or collections of a database are missing, or those of an older version: `migrate` makes them. */
export class NotMigrated extends Error {
  override readonly name = 'NotMigrated';
}
