// graphql-accounts as `serve` runs it, in a folder of its own: node bench/accounts-server.ts FOLDER [VARIABLE=VALUE …]
import { setImmediate } from 'node:timers/promises';
import { createLog } from '../src/cli/log.ts';
import { serve } from '../src/cli/serve.ts';
import { serveBench } from './children.ts';
import { configOf } from './config.ts';

const [folder = '.', ...settings] = process.argv.slice(2);
let started = false;
// That limits are off and mails go nowhere, it says at its start.
const write = (text: string): void => void (started && process.stderr.write(text));
const log = createLog({ level: 'warn', readable: false, write });
const { url } = await serve(configOf(folder, settings), log);
// The log writes the lines of one turn together.
await setImmediate();
started = true;
serveBench(Number(new URL(url).port));
