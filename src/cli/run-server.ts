// Native code, which may not be there for this machine: the start tells, and not the first login.
import '@node-rs/argon2';
import { parseConfig } from './config.ts';
import { createLog } from './log.ts';
import { redact } from './redaction.ts';
import { serve } from './serve.ts';
import { readSettings } from './settings.ts';

/** How often to look whether the parent is still there, in milliseconds. */
const LOOK_AROUND = 250;

/** Serves until the process is told to end. Throws BadConfiguration. */
export async function runServer(flags: { readonly [variable: string]: unknown }): Promise<void> {
  // The files that it writes (data, secret, mails) are for nobody else on this machine.
  process.umask(0o077);
  const config = parseConfig(readSettings(process.env, flags));
  const readable = process.stdout.isTTY === true;
  const log = createLog({
    level: config.logLevel,
    readable,
    write: (text) => process.stdout.write(text),
  });
  // The program that reads the output may end first, as `head` does: that must not end the server.
  process.stdout.on('error', () => {});
  process.on('unhandledRejection', (error) => log.failure(error, 'an unhandled rejection'));
  process.on('uncaughtException', (error) => {
    log.failure(error, 'an uncaught exception');
    log.flush();
    process.exit(1);
  });
  process.on('warning', ({ name, message }) => {
    if (name !== 'ExperimentalWarning') log.warn(`${redact(name)}: ${redact(message)}`);
  });

  const { message, url, close } = await serve(config, log);
  if (config.production && !readable) log.announce(`listening at ${url}`);
  else process.stdout.write(message);
  log.flush();

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info('stopping');
    await close().catch((error: unknown) => log.failure(error, 'stopping'));
    log.flush();
    process.exit(0);
  };
  // Once each: the second signal of a kind ends the process at once.
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  whenAbandoned(stop);
}

/**
 * `npm start` hands SIGTERM to the shell that it runs us in. The shell ends, and we would go on as an orphan that
 * keeps the port: so whoever is run by npm stops when its parent is gone.
 */
function whenAbandoned(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, LOOK_AROUND).unref();
}
