// Writes the page of each host from its example: `node test/hosts/pages.ts`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { HOSTS, type Host } from './hosts.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Beside the program itself. */
const UNSHOWN: ReadonlySet<string> = new Set(['README.md', 'package-lock.json']);
const LANGUAGES: ReadonlyMap<string, string> = new Map([
  ['.ts', 'ts'],
  ['.tsx', 'tsx'],
  ['.mjs', 'js'],
  ['.json', 'json'],
  ['.graphql', 'graphql'],
]);

/** Where the page of a host is. */
export function pathOf({ folder }: Host): string {
  return join(ROOT, 'docs/hosts', `${folder}.md`);
}

/** The page of a host: its README, and its files as they are. */
export function pageOf({ folder }: Host): string {
  const example = join(ROOT, 'examples', folder);
  const readme = readFileSync(join(example, 'README.md'), 'utf8').replaceAll(
    /\]\((?!https?:|#)([^)]+)\)/g,
    (_, target: string) =>
      `](${target.startsWith('../../docs/') ? target.replace('../../docs/', '../') : `../../examples/${folder}/${target}`})`,
  );
  const files = filesOf(example).map((file) => {
    const text = readFileSync(join(example, file), 'utf8').trimEnd();
    return `## ${file}\n\n\`\`\`${LANGUAGES.get(extname(file)) ?? ''}\n${text}\n\`\`\`\n`;
  });
  return `<!-- Written from examples/${folder} by \`node test/hosts/pages.ts\`. -->\n${readme}\n${files.join('\n')}`;
}

/** Programs first. */
function filesOf(folder: string): string[] {
  const files = (readdirSync(folder, { recursive: true }) as string[])
    .filter(
      (file) => !UNSHOWN.has(file) && !/(^|\/)(node_modules|\.next|dist)(\/|$)|next-env\.d\.ts/.test(file),
    )
    .filter((file) => LANGUAGES.has(extname(file)));
  const isProgram = (file: string): number => (extname(file) === '.json' ? 1 : 0);
  return files.sort((a, b) => isProgram(a) - isProgram(b) || (a < b ? -1 : 1));
}

if (import.meta.main) for (const host of HOSTS) writeFileSync(pathOf(host), pageOf(host));
