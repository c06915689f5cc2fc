// graphql-accounts as `serve` runs it, in a folder of its own: node bench/accounts-server.ts FOLDER [VARIABLE=VALUE …]
import { parseConfig } from '../src/cli/config.ts';
import { createLog } from '../src/cli/log.ts';
import { serve } from '../src/cli/serve.ts';
import { serveBench } from './children.ts';

const [folder = '.', ...settings] = process.argv.slice(2);
const config = parseConfig({
  ...{ PORT: '0', DATABASE_URL: `sqlite:${folder}/accounts.db`, LOG_LEVEL: 'warn' },
  ...Object.fromEntries(settings.map((setting) => setting.split('='))),
});
const log = createLog({ level: 'warn', readable: false, write: (text) => process.stderr.write(text) });
const { url } = await serve(config, log);
serveBench(Number(new URL(url).port));
