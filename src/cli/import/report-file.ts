import { open } from 'node:fs/promises';
import { BadConfiguration, reasonOf } from '../bad-configuration.ts';
import type { Finding } from './finding.ts';

/** One line of the report. */
interface ReportEntry extends Finding {
  /** The id in the old database. */
  id: string;
  /** Whether the user came over all the same. */
  imported: boolean;
}

/** How every line of a report begins. */
const FIRST = '{"id":';

/** What did not come over and why, as one JSON object a line. */
export interface ReportFile {
  write(entries: readonly ReportEntry[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Begins a report, in the place of an earlier one: it tells of the whole source each time. Throws BadConfiguration, also
 * for a file that is no report: a slip of the pen must not empty a database.
 */
export async function openReport(path: string): Promise<ReportFile> {
  await atPath(path, () => leaveOthersAlone(path));
  const file = await atPath(path, () => open(path, 'w', 0o600));
  return {
    write: async (entries) => {
      if (entries.length === 0) return;
      const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
      await atPath(path, () => file.writeFile(text));
    },
    close: () => file.close(),
  };
}

async function leaveOthersAlone(path: string): Promise<void> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!file) return;
  try {
    if (!(await file.stat()).isFile()) return;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(FIRST.length), 0);
    if (bytesRead > 0 && buffer.toString() !== FIRST)
      throw new BadConfiguration(`--report: ${path} is there already and is no report: give another file`);
  } finally {
    await file.close();
  }
}

async function atPath<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BadConfiguration) throw error;
    throw new BadConfiguration(`--report: ${path} cannot be written: ${reasonOf(error)}`);
  }
}
