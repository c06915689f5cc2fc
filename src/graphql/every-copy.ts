/**
 * One value for all copies of this library in a process. Bundlers and package managers make several, and what one of
 * them notes about a request or a server the others must know.
 */
export function ofEveryCopy<T extends object>(name: string, create: () => T): T {
  const key = Symbol.for(`graphql-accounts ${name}`);
  const place = globalThis as { [key: symbol]: T | undefined };
  const value = place[key] ?? create();
  place[key] = value;
  return value;
}
