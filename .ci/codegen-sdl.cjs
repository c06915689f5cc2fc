// A plugin of graphql-codegen: the package carries the SDL as text, so that nobody needs a loader for .graphql files.
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const SCHEMA = join(__dirname, '../schema');

exports.plugin = () =>
  readdirSync(SCHEMA)
    .filter((file) => file.endsWith('.graphql'))
    .sort()
    .map((file) => {
      const name = file.replace('.graphql', '').replaceAll('-', '_').toUpperCase();
      const text = readFileSync(join(SCHEMA, file), 'utf8').replace(/[\\`$]/g, '\\$&');
      return `/** schema/${file} */\nexport const ${name}_SDL = /* GraphQL */ \`\n${text}\`;\n`;
    })
    .join('\n');
