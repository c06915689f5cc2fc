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

/** What did not come over and why, as one JSON object a line. */
export interface ReportFile {
  write(entries: readonly ReportEntry[]): Promise<void>;
  close(): Promise<void>;
}

/** Begins a report, in the place of an earlier one: it tells of the whole source each time. Throws BadConfiguration. */
export async function openReport(path: string): Promise<ReportFile> {
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

async function atPath<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new BadConfiguration(`--report: ${path} cannot be written: ${reasonOf(error)}`);
  }
}
