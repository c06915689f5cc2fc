// Starts every example on the packed library, on each version of graphql that its host allows, and uses it over HTTP.
// `node test/hosts/main.ts yoga koa` tries some; `--write` renews the matrix of docs/hosts.
import { parseArgs } from 'node:util';
import { FEATURES, type FeatureName } from './features.ts';
import { type Group, HOSTS, type Host } from './hosts.ts';
import { judge, type Row } from './matrix.ts';
import { copy, install, installed, pack, SECRET, start } from './stage.ts';
import { typeCheck } from './types.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean', default: false }, installed: { type: 'boolean', default: false } },
});
/** How many run side by side. */
const LANES = 2;

const hosts = HOSTS.filter(({ folder }) => positionals.length === 0 || positionals.includes(folder));
const groups = [...new Set(hosts.flatMap((host) => host.groups))];
if (!values.installed) {
  const tarball = pack();
  for (const group of groups) install(group, tarball);
}
const runs = hosts.flatMap((host) => host.groups.map((group) => ({ host, group })));
const rows: Row[] = [];
await Promise.all(
  Array.from({ length: LANES }, async () => {
    for (let run = runs.shift(); run; run = runs.shift()) rows.push(await use(run.host, run.group));
  }),
);

const failures = rows.flatMap(({ host, graphql, problems }) =>
  problems.map((problem) => `${host.folder} on graphql ${graphql}: ${problem}`),
);
for (const failure of failures) console.error(failure);
const isWhole = positionals.length === 0;
const isStale = isWhole && failures.length === 0 && !judge(rows, values.write);
if (isStale)
  console.error('docs/hosts/README.md is not what this run has shown: npm run test:hosts -- --write');
process.exitCode = failures.length > 0 || isStale ? 1 : 0;

async function use(host: Host, group: Group): Promise<Row> {
  const graphql = installed(group, 'graphql').version;
  const range = installed(group, host.host).peerDependencies?.graphql ?? '*';
  const row: Row = {
    host,
    graphql,
    range,
    version: installed(group, host.host).version,
    worked: [],
    problems: [],
  };
  const began = performance.now();
  try {
    const folder = copy(host, group);
    await attempt(row, 'types', () => typeCheck(folder));
    const { url, stop } = await start(folder, host.path ?? '/graphql');
    const subject = { folder, url, masks: host.masks, secret: SECRET };
    for (const [name, feature] of Object.entries(FEATURES) as [
      FeatureName,
      (typeof FEATURES)[FeatureName],
    ][]) {
      if (host.without[name] === undefined) await attempt(row, name, () => feature.run(subject));
    }
    const { also } = host;
    if (also) await attempt(row, also.title, () => also.run(subject));
    await stop();
  } catch (error) {
    row.problems.push(String(error));
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${host.folder} on graphql ${graphql}: ${row.worked.length} worked, ${row.problems.length} failed, ${seconds} s`,
  );
  return row;
}

async function attempt(row: Row, name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
    row.worked.push(name);
  } catch (error) {
    row.problems.push(`${name}: ${(error as Error).message}`);
  }
}
