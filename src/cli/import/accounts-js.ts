import { createSecretBox, type SecretBox } from '../../core/secret-box.ts';
import type { Clock } from '../../core/time.ts';
import type { AccountsDatabase, NewUser } from '../../database/ports.ts';
import { BadConfiguration } from '../bad-configuration.ts';
import { ahead } from './at-once.ts';
import { type Collisions, createCollisions } from './collisions.ts';
import type { Refusal } from './finding.ts';
import type { ForeignUser, UserSource } from './foreign-user.ts';
import { type MappedUser, mapUser } from './map-user.ts';
import { openReport, type ReportFile } from './report-file.ts';
import { openSource } from './sources.ts';
import { createWriter, dryWriter, type Outcome, type Writer } from './writer.ts';

export interface AccountsJsImport extends UserImport {
  /** The URL of the database of accounts-js. */
  from: string;
}

interface UserImport {
  /** Where the users go. Null in a dry run when there is no such database yet: nothing is made then. */
  target: AccountsDatabase | null;
  /** The file for what does not come over. */
  report: string;
  /** Writes the report and nothing else. */
  dryRun?: boolean | undefined;
  /**
   * What the secrets of second factors are encrypted with, as `ENCRYPTION_KEY` names it: the first key encrypts. None
   * is enough while nobody has a second factor.
   */
  encryptionKeys: readonly string[];
  progress?: ((progress: ImportProgress) => void) | undefined;
  now?: Clock | undefined;
}

/** First all users are read, to find those who cannot all come; then they are imported. */
export interface ImportProgress {
  phase: 'reading' | 'importing';
  users: number;
}

/** How many users there were of each kind. */
export interface ImportResult {
  imported: number;
  alreadyThere: number;
  /** Did not come over; the report says why. */
  conflicts: number;
  /** Those in the new database of whom something did not come over; the report says what. */
  incomplete: number;
}

interface Surroundings {
  source: UserSource;
  collisions: Collisions;
  writer: Writer;
  report: ReportFile;
  map: (foreign: ForeignUser) => MappedUser;
  progress: (progress: ImportProgress) => void;
}

/**
 * Brings the users of an accounts-js database over, with their ids. Can be run again at any time: whoever is in the new
 * database already is left alone, so that an import that was cut off goes on. The new database is open, and is closed
 * by its owner.
 *
 * Throws BadConfiguration for a source or a report that cannot be used, and whatever the new database throws.
 */
export async function importAccountsJs(options: AccountsJsImport): Promise<ImportResult> {
  const source = await openSource(options.from);
  try {
    return await importUsers(source, options);
  } finally {
    await source.close();
  }
}

/** Nothing was written yet when it is asked for: all users are read before. */
const NO_BOX: Pick<SecretBox, 'seal'> = {
  seal() {
    throw new BadConfiguration(
      'ENCRYPTION_KEY or TOKEN_SECRET is needed, as serve will have it: some of the users have second factors',
    );
  },
};

/** The same from wherever users come. */
export async function importUsers(
  source: UserSource,
  { target, report: path, dryRun = false, encryptionKeys, progress = () => {}, now = Date.now }: UserImport,
): Promise<ImportResult> {
  if (!target && !dryRun) throw new TypeError('target may be null in a dry run only');
  const parts = { box: encryptionKeys.length > 0 ? createSecretBox(encryptionKeys) : NO_BOX, now: now() };
  const report = await openReport(path);
  const collisions = createCollisions();
  try {
    if (!dryRun) await target?.migrate?.();
    const writer = dryRun || !target ? dryWriter(target) : createWriter(target);
    const map = (foreign: ForeignUser): MappedUser => mapUser(foreign, parts);
    return await run({ source, collisions, writer, report, map, progress });
  } finally {
    collisions.close();
    await report.close();
  }
}

/** The exit code of the program: 3 says that the report is worth reading. */
export function exitCodeOf({ conflicts }: ImportResult): 0 | 3 {
  return conflicts > 0 ? 3 : 0;
}

/** The last line of the program. */
export function summaryOf(result: ImportResult, dryRun: boolean): string {
  const { imported, alreadyThere, conflicts, incomplete } = result;
  const what = dryRun ? 'would be imported' : 'imported';
  return `${imported} ${what}, ${alreadyThere} already there, ${conflicts} conflicts, ${incomplete} incomplete`;
}

async function run({
  source,
  collisions,
  writer,
  report,
  map,
  progress,
}: Surroundings): Promise<ImportResult> {
  let users = 0;
  for await (const batch of ahead(source.users())) {
    collisions.add(batch.map(map));
    users += batch.length;
    progress({ phase: 'reading', users });
  }
  collisions.settle();
  const result: ImportResult = { imported: 0, alreadyThere: 0, conflicts: 0, incomplete: 0 };
  users = 0;
  for await (const batch of ahead(source.users())) {
    const mapped = batch.map(map);
    const outcomes = await importBatch(mapped, collisions, writer);
    count(result, mapped, outcomes);
    await report.write(mapped.flatMap((user, index) => entriesOf(user, outcomes[index] ?? [])));
    users += batch.length;
    progress({ phase: 'importing', users });
  }
  return result;
}

/** Why a user did not come, or what else became of it. */
type Fate = Exclude<Outcome, Refusal> | readonly Refusal[];

async function importBatch(
  batch: readonly MappedUser[],
  collisions: Collisions,
  writer: Writer,
): Promise<Fate[]> {
  const present = await writer.present(batch.flatMap(({ id }) => (id === null ? [] : [id])));
  const fates = new Map<MappedUser, Fate>();
  const comers: (NewUser & { mapped: MappedUser })[] = [];
  for (const mapped of batch) {
    const { id, record: user, identities } = mapped;
    const refusals = [...mapped.refusals, ...collisions.of(mapped)];
    if (id !== null && present.has(id)) fates.set(mapped, 'already there');
    else if (!user || refusals.length > 0) fates.set(mapped, refusals);
    else comers.push({ mapped, user, identities });
  }
  const outcomes = await writer.write(comers);
  for (const [index, outcome] of outcomes.entries()) {
    const comer = comers[index];
    if (comer) fates.set(comer.mapped, typeof outcome === 'string' ? outcome : [outcome]);
  }
  return batch.map((mapped) => fates.get(mapped) ?? []);
}

function count(result: ImportResult, users: readonly MappedUser[], fates: readonly Fate[]): void {
  for (const [index, fate] of fates.entries()) {
    if (fate === 'imported') result.imported++;
    else if (fate === 'already there') result.alreadyThere++;
    else result.conflicts++;
    if (typeof fate === 'string' && users[index]?.losses.length) result.incomplete++;
  }
}

/** Also of those who came with an earlier run: its report, cut off as it was, is gone. */
function entriesOf({ label, losses }: MappedUser, fate: Fate) {
  const isThere = typeof fate === 'string';
  return (isThere ? losses : fate).map((finding) => ({ id: label, imported: isThere, ...finding }));
}
