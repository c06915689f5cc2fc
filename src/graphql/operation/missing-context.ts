/** What whoever forgot the plugin sees besides refusals, once. */
export const NO_ACCOUNTS =
  'this context has no accounts: add the plugin useAccounts, or the context of the adapter of your host, or of createContext';

/** Calls `tell` the first time that a context comes by which neither of the two has made. */
export function onMissingAccounts(tell: () => void): (context: unknown) => void {
  let told = false;
  return (context) => {
    if (told || (context as { accounts?: unknown } | null | undefined)?.accounts !== undefined) return;
    told = true;
    tell();
  };
}
