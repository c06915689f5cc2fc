#!/usr/bin/env node
// Nothing is imported before this: an older Node could not even load the rest, and would say so in ten lines.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`graphql-accounts: needs Node.js 22.18 or newer; this is ${process.versions.node}\n`);
  process.exit(1);
}
// Node prints several lines when a module is experimental, as its SQLite is in some versions. `serve` logs warnings.
process.removeAllListeners('warning');
const { runProgram } = await import('./program.ts');
const code = await runProgram(process.argv.slice(2));
if (code !== null) {
  process.exitCode = code;
  // A connection that somebody opened to the port meanwhile must not keep a start that has failed.
  setTimeout(() => process.exit(), 1_000).unref();
}
