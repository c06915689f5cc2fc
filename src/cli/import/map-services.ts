import type { SecretBox } from '../../core/secret-box.ts';
import type { Json } from '../../database/ports.ts';
import { BCRYPT_MAXIMUM_COST, parseBcrypt } from '../../services/password/bcrypt.ts';
import { isAffordable, parseArgon2 } from '../../services/password/phc.ts';
import type { Findings } from './findings.ts';
import type { Name } from './map-names.ts';
import { isPlainObject, isStorable, isTooLong, lengthOf, placeOf, toJson } from './plain-data.ts';

/** An identity that a service has; without a subject it is the user's own. */
interface MappedService {
  service: string;
  subject?: string;
  data: { [key: string]: Json };
}

interface MappedServices {
  identities: MappedService[];
  names: Name[];
}

type Fields = { readonly [field: string]: unknown };

/** What is void on the day of the move, with everything in it: links that were mailed. */
const LINKS = new Set([
  'email',
  'magicLink',
  'password.reset',
  'email.verificationTokens',
  'magicLink.loginTokens',
]);
/** Whoever had one of these must not get in without. */
const SECOND_FACTOR = /factor|mfa|otp|authenticator|webauthn|u2f|fido/i;
const BASE32 = /^[A-Z2-7]{16,}$/;
const MAX_SECRET_LENGTH = 512;
/** What a provider let the application do in the user's name. */
const PROVIDER_TOKEN = /token|secret|code|password/i;
const MAX_SUBJECT_LENGTH = 255;
const MAX_NAME_LENGTH = 100;

/** Ways in: the password, the second factor, and linked accounts. */
export function mapServices(
  services: readonly (readonly [name: string, value: unknown])[],
  userId: string,
  box: Pick<SecretBox, 'seal'>,
  findings: Findings,
): MappedServices {
  const mapped: MappedServices = { identities: [], names: [] };
  const seen = new Set<string>();
  for (const [name, value] of services) {
    // What accounts-js unlinks it sets to null.
    if (value === undefined || value === null || LINKS.has(name)) continue;
    const field = placeOf('services', name);
    if (seen.has(name)) findings.refuse('INVALID_SERVICE', 'it is there twice', field);
    else if (!isPlainObject(value)) findings.refuse('INVALID_SERVICE', 'it must be an object', field);
    else if (name === 'password') mapPassword(value, mapped, findings);
    else if (name === 'two-factor') mapSecondFactor(value, mapped, { userId, box, findings });
    else mapOther(name, value, mapped, findings);
    seen.add(name);
  }
  return mapped;
}

/** The hash stays as it is, to be compared with the password as typed. */
function mapPassword(
  { bcrypt: hash, reset: _, ...others }: Fields,
  mapped: MappedServices,
  findings: Findings,
): void {
  const field = 'services.password.bcrypt';
  for (const name of Object.keys(others))
    findings.lose(
      'UNKNOWN_FIELD',
      'it is nothing that accounts-js writes',
      placeOf('services.password', name),
    );
  if (hash === undefined || hash === null) return;
  if (typeof hash !== 'string' || hash === '' || !isStorable(hash)) {
    findings.refuse('INVALID_PASSWORD', 'the hash must be text', field);
    return;
  }
  if (!isVerifiable(hash))
    findings.lose('PASSWORD_FORMAT', 'only the option verifyPassword can verify this hash', field);
  mapped.identities.push({ service: 'password', data: { hash, normalization: null } });
}

function isVerifiable(hash: string): boolean {
  const bcrypt = parseBcrypt(hash);
  if (bcrypt) return bcrypt.cost <= BCRYPT_MAXIMUM_COST;
  const argon2 = parseArgon2(hash);
  return argon2 !== null && isAffordable(argon2);
}

/** The secret in all the forms in which it was shown to its user; that in base32 is the one that was verified. */
function mapSecondFactor(
  { secret }: Fields,
  mapped: MappedServices,
  { userId, box, findings }: { userId: string; box: Pick<SecretBox, 'seal'>; findings: Findings },
): void {
  const base32 = isPlainObject(secret) ? secret.base32 : undefined;
  const plain = typeof base32 === 'string' ? base32.replace(/[\s=]/g, '').toUpperCase() : '';
  if (!BASE32.test(plain) || plain.length > MAX_SECRET_LENGTH) {
    findings.refuse('INVALID_SECOND_FACTOR', 'it has no secret in base32', 'services.two-factor');
    return;
  }
  const sealed = box.seal(plain, { service: 'totp', subject: userId });
  mapped.identities.push({ service: 'totp', data: { secret: sealed } });
}

/** A linked account is what has an id of its provider. */
function mapOther(name: string, { id, ...fields }: Fields, mapped: MappedServices, findings: Findings): void {
  const subject = typeof id === 'number' && Number.isSafeInteger(id) ? String(id) : id;
  const field = placeOf('services', name);
  if (SECOND_FACTOR.test(name)) {
    findings.refuse('UNKNOWN_SECOND_FACTOR', 'whoever has a second factor must not get in without it', field);
    return;
  }
  if (subject === undefined || subject === null) {
    findings.lose('UNKNOWN_SERVICE', 'it is neither a password nor a linked account', field);
    return;
  }
  if (
    typeof subject !== 'string' ||
    subject === '' ||
    subject.length > MAX_SUBJECT_LENGTH ||
    name.length > MAX_NAME_LENGTH ||
    !isStorable(name + subject)
  ) {
    findings.refuse('INVALID_SERVICE', 'its name and its id must be text, and not endless', field);
    return;
  }
  const service = `oauth:${name}` as const;
  mapped.identities.push({ service, subject, data: mapProviderData(fields, field, findings) });
  mapped.names.push({ kind: service, canonical: subject, verified: false });
}

/** What the provider said of the user. Its tokens would lie readable in the database: they do not come over. */
function mapProviderData(fields: Fields, path: string, findings: Findings): { [key: string]: Json } {
  const isDropped = (place: string, name: string): boolean => {
    if (!PROVIDER_TOKEN.test(name)) return false;
    findings.lose('PROVIDER_TOKEN', 'tokens of a provider are not kept; the user grants anew', place);
    return true;
  };
  const lose = (place: string): void => findings.lose('NOT_JSON', 'JSON has no form for it', place);
  const profile = toJson(fields, path, lose, isDropped);
  if (!isPlainObject(profile) || Object.keys(profile).length === 0) return {};
  if (!isTooLong(lengthOf(profile))) return { profile };
  findings.lose('TOO_LARGE', 'it is larger than databases take', path);
  return {};
}
