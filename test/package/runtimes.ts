import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Check, Failure, run, type Stage, tool } from './stage.ts';

/** Runs a program, beside the library, and gives what it prints; the program is all that a runtime gets to see. */
type Runtime = (project: string, input: string) => string | Promise<string>;

const RUNTIMES: { readonly [name: string]: Runtime } = {
  Node: (project, input) => runFile(project, input, process.execPath, []),
  Deno: (project, input) =>
    runFile(project, input, tool('.bin/deno'), [
      ...['run', '--no-lock', '--node-modules-dir=manual', '--allow-net=127.0.0.1', '--allow-read=.'],
    ]),
  Bun: (project, input) => runFile(project, input, tool('.bin/bun'), ['run']),
  workerd: inWorker,
};

/** A token is verified and a client logs in on every runtime, against one real server. */
export const runtimes: Check = async ({ projects }: Stage) => {
  const project = projects['17'] ?? '';
  const { start } = (await import(pathToFileURL(join(project, 'server.mjs')).href)) as {
    start(): Promise<{ input: { cases: unknown[] }; stop(): void }>;
  };
  const { input, stop } = await start();
  try {
    for (const [name, runtime] of Object.entries(RUNTIMES)) {
      const told = await runtime(project, JSON.stringify(input));
      if (told.trim() !== '[]') throw new Failure(`${name}: ${told}`);
      console.log(`    ${name}: ${input.cases.length} kinds of key, and a client`);
    }
  } finally {
    stop();
  }
};

function runFile(project: string, input: string, program: string, args: readonly string[]): Promise<string> {
  const code = `import { story } from './story.mjs';\nconsole.log(JSON.stringify(await story(${input})));\n`;
  writeFileSync(join(project, 'run.mjs'), code);
  // Not synchronously: the server that it asks is in this process.
  return promisify(execFile)(program, [...args, 'run.mjs'], { cwd: project, timeout: 60_000 }).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string; stderr?: string; message: string }) => `${error.stderr || error.message}`,
  );
}

interface Miniflare {
  dispatchFetch(url: string): Promise<Response>;
  dispose(): Promise<void>;
}

/** Without `nodejs_compat`: there is `fetch`, and WebCrypto. */
async function inWorker(project: string, input: string): Promise<string> {
  const code = `import { story } from './story.mjs';
    export default { fetch: async () => Response.json(await story(${input}).catch((error) => [error.stack])) };`;
  writeFileSync(join(project, 'worker.mjs'), code);
  const output = [
    '--bundle',
    '--format=esm',
    '--platform=browser',
    '--external:node:*',
    '--outfile=worker.bundle.mjs',
  ];
  run(tool('.bin/esbuild'), ['worker.mjs', ...output, '--log-level=warning'], { cwd: project });
  const { Miniflare } = createRequire(tool('x'))('miniflare') as {
    Miniflare: new (options: object) => Miniflare;
  };
  const miniflare = new Miniflare({
    modules: [
      { type: 'ESModule', path: 'worker.mjs', contents: readFileSync(join(project, 'worker.bundle.mjs')) },
    ],
    compatibilityDate: '2026-01-01',
  });
  try {
    return await (await miniflare.dispatchFetch('http://localhost/')).text();
  } finally {
    await miniflare.dispose();
  }
}
