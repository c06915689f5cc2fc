import { foreign } from './definition.ts';

/** What a field asks of whoever reads it, beside a session. */
export interface Requirement {
  /** How many seconds old the proof of who it is may be; infinite where that is not asked. */
  maxAge: number;
  /** Whether two factors must have been proved. */
  secondFactor: boolean;
}

/** A session is all. */
export const SESSION: Requirement = { maxAge: Number.POSITIVE_INFINITY, secondFactor: false };

/** The largest `Int` of GraphQL. */
const MAX_INT = 2 ** 31 - 1;

/** Reads the arguments of one use of the directive. Throws a TypeError for whatever it would not keep. */
export function parseRequirement(name: string, args: unknown): Requirement {
  const { maxAge, secondFactor, ...others } = (args ?? {}) as { [argument: string]: unknown };
  const [other] = Object.keys(others);
  if (other !== undefined) throw foreign(name, `has the argument ${other}`);
  return { maxAge: parseMaxAge(name, maxAge), secondFactor: parseFlag(name, secondFactor) };
}

/** What keeps both. */
export function strictest(one: Requirement, other: Requirement): Requirement {
  return {
    maxAge: Math.min(one.maxAge, other.maxAge),
    secondFactor: one.secondFactor || other.secondFactor,
  };
}

/** Whether whoever keeps the one keeps the other as well. */
export function covers(one: Requirement, other: Requirement): boolean {
  return one.maxAge <= other.maxAge && (one.secondFactor || !other.secondFactor);
}

function parseMaxAge(name: string, value: unknown): number {
  if (value === undefined || value === null) return SESSION.maxAge;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_INT) return value;
  throw new TypeError(`@${name}: maxAge must be a whole number of seconds from 0 to ${MAX_INT}`);
}

function parseFlag(name: string, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  throw new TypeError(`@${name}: secondFactor must be true or false`);
}
