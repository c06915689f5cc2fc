import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { BadConfiguration } from './bad-configuration.ts';
import type { ImportFlags } from './import/command.ts';
import { isOAuthVariable, oauthVariablesIn } from './oauth-variables.ts';
import { loadPackage } from './packages.ts';
import { describeError } from './redaction.ts';
import { flagOf, SETTINGS } from './settings.ts';

/** Reads the command line and does what it says. Resolves to the exit code, or to null while the server runs. */
export async function runProgram(args: readonly string[]): Promise<number | null> {
  try {
    let exitCode: number | null = null;
    const program = createProgram(args, (code) => {
      exitCode = code;
    });
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // Without a command there is only the help, which was printed.
    if (error instanceof CommanderError && error.code === 'commander.help') return 1;
    process.stderr.write(`graphql-accounts: ${problemOf(error)}\n`);
    return 1;
  }
}

/** `ends` is told the exit code of a command that comes to an end; `serve` does not. */
function createProgram(args: readonly string[], ends: (exitCode: number) => void): Command {
  const program = new Command('graphql-accounts')
    .description('Accounts for any GraphQL API.')
    .version(readVersion(), '-v, --version')
    .helpOption('-h, --help')
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  const serve = program
    .command('serve')
    .description('Serves GraphQL, until SIGTERM or SIGINT.')
    .addHelpText(
      'after',
      '\nProviders of OAuth and OpenID Connect are named by OAUTH_<NAME>_CLIENT_ID, OAUTH_<NAME>_CLIENT_SECRET and\nOAUTH_<NAME>_ISSUER, or by the flags --oauth-<name>-client-id and so on.',
    )
    .allowExcessArguments(false)
    .action(runServe);
  const migrate = program
    .command('migrate')
    .description('Makes the tables of the database, or brings them up to date.')
    .allowExcessArguments(false)
    .action(async (options: Options) => {
      await runMigration(options);
      ends(0);
    });
  addImport(program, ends);
  for (const setting of SETTINGS) {
    const description = `${setting.meaning} [${setting.variable}]`;
    serve.option(flagOf(setting), description);
    if (setting.variable === 'DATABASE_URL') migrate.option(flagOf(setting), description);
  }
  for (const variable of oauthVariablesIn(args)) {
    serve.option(flagOf({ variable, value: 'value', meaning: '' }));
  }
  return program;
}

function addImport(program: Command, ends: (exitCode: number) => void): void {
  program
    .command('import')
    .description('Brings users over from another system.')
    .command('accounts-js')
    .description('From a database of @accounts/mongo (mongodb://…) or @accounts/typeorm (postgres://…).')
    .requiredOption('--from <url>', 'the database of accounts-js; it is only read')
    .requiredOption(
      '--to <url>',
      'the new database, in the forms of DATABASE_URL; its tables are made when missing',
    )
    .option('--report <file>', 'who or what did not come over, and why', './import-conflicts.ndjson')
    .option('--dry-run', 'write the report and nothing else', false)
    .addHelpText(
      'after',
      '\nSecrets of second factors are encrypted with ENCRYPTION_KEY, or TOKEN_SECRET, as serve will have it.\nExit code 0: all came over; 3: the report tells who did not.',
    )
    .allowExcessArguments(false)
    .action(async (options: ImportFlags) => {
      const { runImport } = await import('./import/command.ts');
      ends(await runImport(options));
    });
}

type Options = { readonly [name: string]: unknown };

async function runMigration(options: Options): Promise<void> {
  const { runMigrate } = await import('./migrate.ts');
  await runMigrate(flagsOf(options));
}

async function runServe(options: Options): Promise<void> {
  const { runServer } = await loadPackage('serve', () => import('./run-server.ts'));
  await runServer(flagsOf(options));
}

/** What was given on the command line, by the names of the variables. */
function flagsOf(options: Options): Options {
  const variables = Object.keys(options).map(upperCase).filter(isOAuthVariable);
  return Object.fromEntries(
    [...SETTINGS.map(({ variable }) => variable), ...variables].map((variable) => [
      variable,
      options[camelCase(variable)],
    ]),
  );
}

/** What commander calls a flag: `databaseUrl` for `DATABASE_URL`. */
function camelCase(variable: string): string {
  return variable.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function upperCase(option: string): string {
  return option.replace(/[A-Z]/g, '_$&').toUpperCase();
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
