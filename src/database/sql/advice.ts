/** What servers of different kinds have in common: what somebody can do about an error who runs one. */
export const LACKS_A_PERMISSION = 'its user lacks a permission. GRANT it, or give another user';
export const TAKES_NO_CHANGES = 'it takes no changes. Give the primary server, not a replica';
