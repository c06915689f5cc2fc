import type { Json } from '../../database/ports.ts';
import type { Findings } from './findings.ts';
import { isPlainObject, isStorable, isTooLong, lengthOf, placeOf, toJson } from './plain-data.ts';

/**
 * What the application has added to its users, as the profile. Where it kept a `profile` already, its fields stay
 * where they were, and the others join them.
 */
export function mapProfile(
  custom: { readonly [field: string]: unknown },
  findings: Findings,
): { [key: string]: Json } {
  const { profile, ...others } = custom;
  const nested = isPlainObject(profile) ? Object.entries(profile) : [];
  const top = Object.entries(isPlainObject(profile) ? others : custom);
  const taken = new Set(nested.map(([field]) => field));
  const entries = [
    ...nested.map(([field, value]) => ({ field, value, path: placeOf('profile', field), isNested: true })),
    ...top.map(([field, value]) => ({ field, value, path: placeOf('', field), isNested: false })),
  ];
  const lose = (path: string): void => findings.lose('NOT_JSON', 'JSON has no form for it', path);
  let length = 0;
  const mapped = entries.flatMap(({ field, value, path, isNested }): [string, Json][] => {
    if (!isNested && taken.has(field)) {
      findings.lose('FIELD_CLASH', 'profile has a field of the same name', path);
      return [];
    }
    if (!isStorable(field)) {
      lose('a field whose name cannot be stored');
      return [];
    }
    const json = toJson(value, path, lose);
    if (json === undefined) return [];
    const longer = length + field.length + lengthOf(json);
    if (isTooLong(longer)) {
      findings.lose('TOO_LARGE', 'the profile would be larger than databases take', path);
      return [];
    }
    length = longer;
    return [[field, json]];
  });
  return Object.fromEntries(mapped);
}
