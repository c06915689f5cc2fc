import type { SecretBox } from '../../core/secret-box.ts';
import type { IdentityRecord, UserRecord } from '../../database/ports.ts';
import type { Loss, Refusal } from './finding.ts';
import { Findings } from './findings.ts';
import type { ForeignUser } from './foreign-user.ts';
import { mapEmails, mapUsername, type Name } from './map-names.ts';
import { mapProfile } from './map-profile.ts';
import { mapServices } from './map-services.ts';
import { isStorable } from './plain-data.ts';

/** What a foreign user becomes. */
export interface MappedUser {
  key: string;
  label: string;
  /** Null where it cannot be anybody's. */
  id: string | null;
  /** Null for a user who is refused. */
  record: UserRecord | null;
  identities: IdentityRecord[];
  /** What nobody else may have, as far as it could be read; also of a user who is refused. */
  names: Name[];
  refusals: readonly Refusal[];
  losses: readonly Loss[];
}

export interface MapperParts {
  box: Pick<SecretBox, 'seal'>;
  /** When a user was made who does not say so, in milliseconds. */
  now: number;
}

const MAX_ID_LENGTH = 255;
/** No database takes a later one. */
const LAST_TIME = Date.UTC(9999, 11, 31);
/** What an id of MongoDB looks like as text: one that is text already may be somebody else's. */
const OBJECT_ID = /^[0-9a-f]{24}$/;

/**
 * Makes a user of ours of one of accounts-js. Whatever decides who somebody is must be in order, or the user is
 * refused as a whole: half of an account is somebody's lost account, or a way into it.
 */
export function mapUser(foreign: ForeignUser, { box, now }: MapperParts): MappedUser {
  const findings = new Findings();
  const id = mapId(foreign.id, findings);
  const username = mapUsername(foreign.username, findings);
  const emails = mapEmails(foreign.emails, findings);
  const services = mapServices(foreign.services, id, box, findings);
  const deactivated = mapFlag(foreign.deactivated, findings);
  const createdAt = mapTime(foreign.createdAt, 'createdAt', now, findings);
  const updatedAt = mapTime(foreign.updatedAt, 'updatedAt', createdAt, findings);
  const profile = mapProfile(foreign.custom, findings);
  const names = [
    ...(OBJECT_ID.test(id) ? [{ kind: 'id' as const, canonical: id, verified: false }] : []),
    ...(username ? [username.name] : []),
    ...emails.map(({ canonical, verified }) => ({ kind: 'email' as const, canonical, verified })),
    ...services.names,
  ];
  const { refusals, losses } = findings;
  const identity = (service: string, subject: string, data: IdentityRecord['data'] = {}): IdentityRecord => ({
    ...{ service, subject, data, userId: id, version: 1, createdAt },
  });
  const record: UserRecord = {
    ...{ id, version: 1, username: username?.username ?? null, emails },
    ...{ deactivated, profile, createdAt, updatedAt },
  };
  return {
    ...{ key: foreign.key, label: foreign.label, id: id === '' ? null : id, names, refusals, losses },
    record: refusals.length > 0 ? null : record,
    identities: [
      ...(username ? [identity('username', username.name.canonical)] : []),
      ...emails.map(({ canonical }) => identity('email', canonical)),
      ...services.identities.map(({ service, subject, data }) => identity(service, subject ?? id, data)),
    ],
  };
}

function mapId(id: string | null, findings: Findings): string {
  if (id !== null && id !== '' && id.length <= MAX_ID_LENGTH && isStorable(id)) return id;
  findings.refuse('INVALID_ID', `the id must be text of 1 to ${MAX_ID_LENGTH} characters`);
  return '';
}

/** Anything but a clear no would let somebody in who was shut out. */
function mapFlag(value: unknown, findings: Findings): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  findings.refuse('INVALID_DEACTIVATED', 'it must be true or false', 'deactivated');
  return true;
}

/** accounts-js writes milliseconds, or what the application's `dateProvider` gives. */
function mapTime(value: unknown, field: string, fallback: number, findings: Findings): number {
  if (value === undefined || value === null) return fallback;
  const time =
    value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : value;
  if (typeof time === 'number' && time >= 0 && time <= LAST_TIME) return Math.trunc(time);
  findings.lose('INVALID_TIME', 'it is no time', field);
  return fallback;
}
