import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FEATURES, type FeatureName } from './features.ts';
import { HOSTS, type Host } from './hosts.ts';
import { ROOT } from './stage.ts';

/** What one example has shown on one version of graphql. */
export interface Row {
  host: Host;
  graphql: string;
  /** The range of the host itself. */
  range: string;
  version: string;
  worked: string[];
  problems: string[];
}

const PAGE = join(ROOT, 'docs/hosts/README.md');

/** Whether the page says what was shown; written anew where that is asked for. */
export function judge(rows: readonly Row[], write: boolean): boolean {
  const page = render(rows);
  if (write) writeFileSync(PAGE, page);
  return existsSync(PAGE) && readFileSync(PAGE, 'utf8') === page;
}

function render(rows: readonly Row[]): string {
  const names = ['types', ...Object.keys(FEATURES)];
  const notes: string[] = [];
  const note = (reason: string): string => {
    if (!notes.includes(reason)) notes.push(reason);
    return `[${notes.indexOf(reason) + 1}](#notes)`;
  };
  const cell = ({ host, worked }: Row, name: string): string =>
    worked.includes(name) ? '✓' : note(host.without[name as FeatureName] ?? 'was not tried');
  const ordered = HOSTS.flatMap((host) =>
    rows.filter((row) => row.host === host).sort((a, b) => (a.graphql < b.graphql ? -1 : 1)),
  );
  const titles = names.map((name) =>
    name === 'types' ? 'typed context' : FEATURES[name as FeatureName].title,
  );
  const lines = ordered.map((row) => {
    const { host, graphql, range, version } = row;
    const cells = names.map((name) => cell(row, name));
    return `| [${host.title}](${host.folder}.md) | \`${host.host}\` ${version} | \`${range.replaceAll('|', '\\|')}\` | ${graphql} | ${cells.join(' | ')} |`;
  });
  return `${INTRODUCTION}
| host | package | its range for \`graphql\` | tried on | ${titles.join(' | ')} |
|${'---|'.repeat(titles.length + 4)}
${lines.join('\n')}

## Notes

A host with this number

${notes.map((reason, index) => `${index + 1}. ${reason}`).join('\n')}

${EXPLANATION}`;
}

const INTRODUCTION = `# Hosts

Every line is an example under [examples](../../examples), started on the packed library and used over HTTP on each version of \`graphql\` that the host itself allows. The table is written by that run (\`npm run test:hosts -- --write\`). ✓ is what it has shown; a number is what cannot be had there, and the [notes](#notes) say why.
`;

const EXPLANATION = `What each column says:

- **typed context**: the example compiles under \`strict\` and \`exactOptionalPropertyTypes\`, without a cast for \`context.user\`.
- **tried on**: this version of \`graphql\`.
- **\`@auth\` on a field of its own**: read with a token; refused without one, with a bad one, and with one that was logged out.
- **refresh with an expired token**: a token that is bad in the header does not stand in the way of \`refreshTokens\`.
- **codes, and both maskings**: our refusals keep their code, an unexpected error in our operations tells nothing, and the host treats its own errors as it did before.
- **\`no-store\`**: an answer that carries tokens is kept out of caches.
- **subscriptions**: nothing starts for a stranger, and a stream ends within 5 s of its session.
- **\`@auth\` in \`_entities\`**: a router that asks for an entity without a token is refused its guarded fields.

Nexus is not among them: its last release, 1.3.0, is of 2022. The schema that it makes is merged as that of [TypeGraphQL](type-graphql.md) is, with \`extensions: { directives: { auth: {} } }\` on a field.
`;
