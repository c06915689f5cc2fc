import type { Json } from '../../database/ports.ts';
import type { Findings } from './findings.ts';
import { isPlainObject, isStorable, toJson } from './plain-data.ts';

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
    ...nested.map(([field, value]) => ({ field, value, path: `profile.${field}` })),
    ...top.map(([field, value]) => ({ field, value, path: field })),
  ];
  const lose = (path: string): void => findings.lose('NOT_JSON', 'JSON has no form for it', path);
  const mapped = entries.flatMap(({ field, value, path }): [string, Json][] => {
    if (path === field && taken.has(field)) {
      findings.lose('FIELD_CLASH', 'profile has a field of the same name', path);
      return [];
    }
    if (!isStorable(field)) {
      lose('a field whose name cannot be stored');
      return [];
    }
    const json = toJson(value, path, lose);
    return json === undefined ? [] : [[field, json]];
  });
  return Object.fromEntries(mapped);
}
