import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { BadConfiguration } from './bad-configuration.ts';
import { describeError } from './redaction.ts';
import { flagOf, SETTINGS } from './settings.ts';

/** Reads the command line and does what it says. Resolves to the exit code, or to null while the server runs. */
export async function runProgram(args: readonly string[]): Promise<number | null> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return null;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // Without a command there is only the help, which was printed.
    if (error instanceof CommanderError && error.code === 'commander.help') return 1;
    process.stderr.write(`graphql-accounts: ${problemOf(error)}\n`);
    return 1;
  }
}

function createProgram(): Command {
  const program = new Command('graphql-accounts')
    .description('Accounts for any GraphQL API.')
    .version(readVersion(), '-v, --version')
    .helpOption('-h, --help')
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  const serve = program
    .command('serve')
    .description('Serves GraphQL, until SIGTERM or SIGINT.')
    .allowExcessArguments(false)
    .action(runServe);
  for (const setting of SETTINGS) {
    serve.option(flagOf(setting), `${setting.meaning} [${setting.variable}]`);
  }
  return program;
}

async function runServe(options: { readonly [name: string]: unknown }): Promise<void> {
  const flags = Object.fromEntries(
    SETTINGS.map(({ variable }) => [variable, options[camelCase(variable)]] as const),
  );
  const { runServer } = await import('./run-server.ts').catch(nameMissingPackage);
  await runServer(flags);
}

/** What commander calls a flag: `databaseUrl` for `DATABASE_URL`. */
function camelCase(variable: string): string {
  return variable.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Throws BadConfiguration that names a missing package: those that only `serve` needs do not come with the library. */
function nameMissingPackage(error: unknown): never {
  const missing =
    error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
      ? /Cannot find package '([^']+)'/.exec(error.message)?.[1]
      : undefined;
  if (missing === undefined) throw error;
  throw new BadConfiguration(`serve needs the package ${missing}: npm install ${missing}`);
}

function readVersion(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}

/** One line for whoever started the program. What nobody foresaw is an error of ours, and is called that. */
function problemOf(error: unknown): string {
  if (error instanceof CommanderError || error instanceof BadConfiguration) {
    return error.message.replace(/^error: /, '').replace(/\s*[\r\n]+\s*/g, ' ');
  }
  const { error: name, reason } = describeError(error);
  return `internal error: ${name}${reason === undefined ? '' : `: ${reason}`}`;
}
