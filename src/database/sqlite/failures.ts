const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const PROTOCOL = 15;
const NOTADB = 26;

/** What somebody who reads a log can do about it. */
const ADVICE = new Map([
  [READONLY, 'it cannot be written. Give this process the rights to the file and its folder'],
  [IOERR, 'the disk reports an error. Check the disk and that the file lies on no network share'],
  [CORRUPT, 'it is damaged. Restore it from a backup'],
  [FULL, 'the disk is full. Make room and try again'],
  [CANTOPEN, 'it cannot be opened. Give this process the rights to the file and its folder'],
  [NOTADB, 'it is not a SQLite database. Give another path, or restore it from a backup'],
]);

/**
 * Whether another connection holds what we need for now. PROTOCOL is a race of two that open at once: it passes too.
 */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error);
  return code === BUSY || code === LOCKED || code === PROTOCOL;
}

/** The same error, or one line that says what to do where the person who runs the server can do something. */
export function explain(error: unknown, path: string): unknown {
  const advice = ADVICE.get(primaryCode(error) ?? 0);
  return advice === undefined ? error : unusable(path, advice, error);
}

export function unusable(path: string, advice: string, cause?: unknown): Error {
  return new Error(
    `The database ${JSON.stringify(path)} cannot be used: ${advice}.`,
    cause === undefined ? undefined : { cause },
  );
}

/** Of an extended code such as SQLITE_BUSY_SNAPSHOT, the kind is in the low byte. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode & 0xff;
}
