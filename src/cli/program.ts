import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { BadConfiguration } from './refusal.ts';
import { flagOf, SETTINGS } from './settings.ts';

/** Reads the command line and does what it says. Answers with the exit code, or null while the server runs. */
export async function runProgram(args: readonly string[]): Promise<number | null> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return null;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (!(error instanceof CommanderError || error instanceof BadConfiguration)) throw error;
    // Without a command there is only the help, which was printed.
    if (error instanceof CommanderError && error.code === 'commander.help') return 1;
    process.stderr.write(`${oneLine(error.message)}\n`);
    return 1;
  }
}

function createProgram(): Command {
  const program = new Command('graphql-accounts')
    .description('Accounts for any GraphQL API.')
    .version(readVersion(), '--version')
    .helpOption('--help')
    .showSuggestionAfterError(false)
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

/** `DATABASE_URL` is `databaseUrl` among the options. */
function camelCase(variable: string): string {
  return variable.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** The packages that only this command needs are not installed with the library. */
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

function oneLine(message: string): string {
  return `graphql-accounts: ${message.replace(/^error: /, '').replace(/\s*[\r\n]+\s*/g, ' ')}`;
}
