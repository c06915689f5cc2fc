/**
 * Throws a TypeError for what is no AccountsServer: a call without one would fail later, far from its cause. Servers of
 * another copy of this library pass.
 */
export function checkServer(server: unknown, caller: string): void {
  if (typeof (server as { report?: unknown } | null | undefined)?.report === 'function') return;
  throw new TypeError(`${caller} needs the AccountsServer as its first argument`);
}
