// Packs the library, installs it into an empty project as somebody would, and uses it there by import and by require.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-package-'));
try {
  npm(process.cwd(), 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  if (!tarball) throw new Error('npm pack made no archive');
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const { version } = JSON.parse(readFileSync('node_modules/graphql/package.json', 'utf8')) as {
    version: string;
  };
  npm(folder, 'install', '--silent', '--no-audit', '--no-fund', `./${tarball}`, `graphql@${version}`);

  const story = `
    const { db } = { db: sqliteDatabase(':memory:') };
    const server = new AccountsServer(
      { db, tokenSecret: 'a secret of the package test, long enough', ambiguousErrorMessages: false },
      { password: password() },
    );
    const input = { email: 'ada@example.com', password: 'correct horse battery staple' };
    (async () => {
      const { userId } = await server.services.password.createUser(input, {});
      const { tokens } = await server.loginWithService('password', { user: input.email, password: input.password }, {});
      const user = await server.resumeSession(tokens.accessToken);
      if (user.id !== userId) throw new Error('somebody else was logged in');
      const { typeDefs } = accountsModule(server);
      if (!/getUser: User/.test(String(typeDefs))) throw new Error('the SDL is missing');
      if (!new AccountsError('FORBIDDEN').code) throw new Error('no codes');
    })().catch((error) => { console.error(error); process.exit(1); });
  `;
  const names = '{ AccountsServer, password, accountsModule, AccountsError, authDirective, useAccounts }';
  writeFileSync(
    join(folder, 'story.mjs'),
    `import ${names} from 'graphql-accounts';\nimport { sqliteDatabase } from 'graphql-accounts/database/sqlite';\n${story}`,
  );
  writeFileSync(
    join(folder, 'story.cjs'),
    `const ${names} = require('graphql-accounts');\nconst { sqliteDatabase } = require('graphql-accounts/database/sqlite');\n${story}`,
  );
  for (const file of ['story.mjs', 'story.cjs']) {
    execFileSync(process.execPath, [file], { cwd: folder, stdio: 'inherit' });
    console.log(`${file}: works`);
  }

  const installed = readdirSync(join(folder, 'node_modules'));
  const unwanted = ['mongoose', 'pg', 'mysql2', 'ioredis', 'nodemailer', 'graphql-yoga', '@envelop'];
  const found = unwanted.filter((name) => installed.includes(name));
  if (found.length > 0) throw new Error(`the package drags in ${found.join(', ')}`);
  console.log('no driver and no mailer came with it');

  // Each in a process of its own. The drivers come one after the other, so that what is still missing is named.
  const asks = (subpath: string, told: string, call = ''): void => {
    for (const load of [
      `import('graphql-accounts/database/${subpath}')`,
      `Promise.resolve().then(() => require('graphql-accounts/database/${subpath}'))`,
    ]) {
      writeFileSync(
        join(folder, 'missing.cjs'),
        `${load}.then((it) => { ${call} console.log('loaded'); }, undefined).catch(({ message }) => console.log(message));`,
      );
      const answer = execFileSync(process.execPath, ['missing.cjs'], {
        cwd: folder,
        encoding: 'utf8',
      }).trim();
      if (answer !== told) throw new Error(`${load} ${call} said ${JSON.stringify(answer)}, not ${told}`);
      console.log(`${subpath} ${call}: ${answer}`);
    }
  };
  const needs = (subpath: string, name: string): string =>
    `graphql-accounts/database/${subpath} needs the package ${name}: npm install ${name}`;
  /** The program says in one line what it lacks. */
  const migrates = (url: string, missing: string): void => {
    const program = join('node_modules', '.bin', 'graphql-accounts');
    const { status, stderr } = spawnSync(program, ['migrate', '--database-url', url], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (
      status !== 1 ||
      !/^graphql-accounts: [^\n]+\n$/.test(stderr) ||
      !stderr.includes(`npm install ${missing}`)
    )
      throw new Error(`migrate ended with ${status}: ${stderr}`);
    console.log(stderr.trim());
  };
  const install = (name: string): void => {
    const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as {
      version: string;
    };
    npm(folder, 'install', '--silent', '--no-audit', '--no-fund', `${name}@${version}`);
  };
  for (const [subpath, name] of [
    ['redis', 'ioredis'],
    ['mongoose', 'mongoose'],
    ['sql', 'kysely'],
  ] as const) {
    asks(subpath, needs(subpath, name));
    if (subpath === 'redis') migrates('mongodb://127.0.0.1/accounts', 'mongoose');
    if (subpath === 'redis') migrates('postgres://ada:secret@127.0.0.1/accounts', 'kysely');
    install(name);
    asks(subpath, 'loaded');
  }
  asks(
    'sql',
    needs('sql with postgres://', 'pg'),
    "it.sqlDatabase('postgres://ada:secret@127.0.0.1/accounts');",
  );
  asks(
    'sql',
    needs('sql with mysql://', 'mysql2'),
    "it.sqlDatabase('mysql://ada:secret@127.0.0.1/accounts');",
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function npm(cwd: string, ...args: string[]): void {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}
