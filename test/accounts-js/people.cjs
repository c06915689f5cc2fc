// The people of every database here, signed up and changed through the API of accounts-js alone.
const { AccountsServer } = require('@accounts/server');
const { AccountsPassword } = require('@accounts/password');
const { AccountsOauth } = require('@accounts/oauth');
const { totp } = require('@levminer/speakeasy');

const PASSWORD = 'the old password';

/** Makes the servers of an application: `db` is an adapter of accounts-js. */
function createServers(db) {
  const mails = [];
  const password = new AccountsPassword({
    // The application lets its own fields through, and more addresses and names than the default does.
    validateNewUser: (user) => user,
    validateEmail: () => true,
    validateUsername: () => true,
  });
  const provider = {
    authenticate: async ({ id }) => ({
      id,
      email: `${id}@octo.example`,
      name: 'Octo',
      accessToken: 'gho_secret',
    }),
  };
  const oauth = new AccountsOauth({ github: provider });
  const server = new AccountsServer(
    { db, tokenSecret: 'the old secret', sendMail: async (mail) => mails.push(mail) },
    { password, oauth },
  );
  return { server, password, mails };
}

/** Signs everybody up; their ids by name. */
async function signUp(db, { fields = {} } = {}) {
  const { server, password, mails } = createServers(db);
  const ids = {};
  const add = async (name, user) => {
    const created = await password.createUser({ password: PASSWORD, ...user });
    ids[name] = typeof created === 'string' ? created : created.userId;
    return ids[name];
  };
  const verify = async (address) => {
    await password.sendVerificationEmail(address);
    const mail = mails.findLast(({ to }) => to === address);
    await password.verifyEmail(/verify-email\/(\w+)/.exec(mail.text)[1]);
  };

  await add('ada', { email: 'Ada@Example.com', username: 'ada' });
  await verify('ada@example.com');
  await server.loginWithService('password', { user: { email: 'ada@example.com' }, password: PASSWORD }, {});
  await password.sendResetPasswordEmail('ada@example.com');

  await add('short', { username: 'short', password: '\ufb01x' });

  const several = await add('several', { email: 'first@example.com', ...fields });
  await password.addEmail(several, 'second@example.com', false);
  await password.addEmail(several, 'third@example.com', true);

  const factor = await add('factor', { email: 'factor@example.com' });
  const secret = password.twoFactor.getNewAuthSecret();
  await password.twoFactor.set(factor, secret, totp({ secret: secret.base32, encoding: 'base32' }));

  await server.deactivateUser(await add('deactivated', { username: 'deactivated' }));

  await server.loginWithService('oauth', { provider: 'github', id: 'octo' }, {});
  ids.octo = (await db.findUserByEmail('octo@octo.example')).id;

  // One name each, to whoever compares them well.
  await add('name one', { username: 'Linus' });
  await add('name two', { username: 'linus' });
  await add('address one', { email: 'eve@b\u00fccher.example' });
  await add('address two', { email: 'eve@xn--bcher-kva.example' });
  await add('proved', { email: 'mallory@b\u00fccher.example' });
  await add('unproved', { email: 'mallory@xn--bcher-kva.example' });
  await verify('mallory@b\u00fccher.example');
  return { ids, secrets: { factor: secret.base32 }, password: PASSWORD };
}

/** Tells the test what there is, and ends, whatever these packages still hold open. */
function run(work) {
  work(process.argv[2]).then(
    (people) => process.stdout.write(JSON.stringify(people), () => process.exit(0)),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}

module.exports = { signUp, run };
