/** The names of all options; give it the type `{ [O in keyof Required<Options>]: true }`, which keeps it whole. */
type KnownOptions = { readonly [option: string]: true };

/**
 * A misspelt option would silently leave a default in force: that is refused where the server is made. `refused` has
 * the options of accounts-js that have no place here, each with the reason.
 */
export function refuseUnknown(
  options: object,
  known: KnownOptions,
  where: string,
  refused: ReadonlyMap<string, string> = new Map(),
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${where}: the options must be an object`);
  }
  for (const name of Object.keys(options)) {
    const reason = refused.get(name);
    if (reason !== undefined) throw new TypeError(`${where}: the option ${name} is refused: ${reason}`);
    if (!Object.hasOwn(known, name)) throw new TypeError(`${where}: there is no option ${name}`);
  }
}
