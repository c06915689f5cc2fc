/** Why the program does not start: one line for whoever started it. Never holds a secret. */
export class BadConfiguration extends Error {
  override readonly name = 'BadConfiguration';

  constructor(message: string, options?: ErrorOptions) {
    super(message.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim(), options);
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['ENOENT', 'no such file or folder'],
  ['ENOTDIR', 'a part of the path is not a folder'],
  ['EISDIR', 'it is a folder'],
  ['EEXIST', 'a file is in the way'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EADDRINUSE', 'the port is in use; set PORT to another'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
  ['ENOTFOUND', 'there is no such host'],
  ['EAI_AGAIN', 'there is no such host'],
]);

/** Why something failed, for people: what the operating system says in plain words, otherwise the error's message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const known = code === null ? undefined : REASONS.get(code);
  return known ?? error.message;
}
