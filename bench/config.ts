import { type Config, parseConfig } from '../src/cli/config.ts';

/** The settings of a server of the benchmark: a SQLite file in its folder, unless `VARIABLE=VALUE` says otherwise. */
export function configOf(folder: string, settings: readonly string[]): Config {
  return parseConfig({
    ...{ PORT: '0', DATABASE_URL: `sqlite:${folder}/accounts.db`, LOG_LEVEL: 'warn' },
    ...Object.fromEntries(settings.map((setting) => setting.split(/=(.*)/s).slice(0, 2))),
  });
}
