/**
 * One value for all copies of this library in a process, of which bundlers and package managers make several: for what
 * one of them notes and another would go wrong without. What only saves work each has for itself.
 */
export function ofEveryCopy<T extends object>(name: string, create: () => T): T {
  const key = Symbol.for(`graphql-accounts ${name}`);
  const place = globalThis as { [key: symbol]: T | undefined };
  const value = place[key] ?? create();
  place[key] = value;
  return value;
}
