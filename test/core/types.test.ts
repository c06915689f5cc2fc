import { expectTypeOf, test } from 'vitest';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import {
  type AccountsContext,
  AccountsServer,
  type AccountsServerOptions,
  type AccountsService,
  type ContextOf,
  createContext,
  type LoginResult,
  type PasswordService,
  type PasswordServiceFactory,
  password,
  type ServiceFactory,
  type User,
  type UserOf,
} from '../../src/index.ts';
import { SECRET } from '../accounts.ts';

interface Reader extends User {
  profile: { city: string };
}

/** A service of somebody else's, whose users are the application's. */
interface Friends<U extends User> extends AccountsService {
  of(userId: string): Promise<U[]>;
}

interface FriendsFactory extends ServiceFactory<Friends<User>> {
  readonly service?: Friends<UserOf<this>>;
}

const friends = (): FriendsFactory => ({ create: () => ({ of: async () => [] }) });
const plain: ServiceFactory<{ authenticate: () => never }> = {
  create: () => ({
    authenticate: () => {
      throw new Error('nobody');
    },
  }),
};
const services = { password: password(), friends: friends(), plain };
type Factories = { password: PasswordServiceFactory; friends: FriendsFactory; plain: typeof plain };

const given = { db: memoryDatabase(), tokenSecret: SECRET };
const options: AccountsServerOptions<Reader> = given;

test('a server without a type of user of its own gives plain users', () => {
  const server = new AccountsServer(given, services);
  expectTypeOf(server).toEqualTypeOf<AccountsServer<User, Factories>>();
  expectTypeOf(server.services.password).toEqualTypeOf<PasswordService>();
  expectTypeOf(server.findUserById).returns.resolves.toEqualTypeOf<User | null>();
});

test('the type of user comes from the options, and that of the services stays', () => {
  const server = new AccountsServer(options, services);
  expectTypeOf(server).toEqualTypeOf<AccountsServer<Reader, Factories>>();
  expectTypeOf(server.services).toEqualTypeOf<{
    readonly password: PasswordService<Reader>;
    readonly friends: Friends<Reader>;
    readonly plain: { authenticate: () => never };
  }>();
  expectTypeOf(server.findUserById).returns.resolves.toEqualTypeOf<Reader | null>();
  expectTypeOf(server.loginWithUser).returns.resolves.toEqualTypeOf<LoginResult<Reader>>();
  expectTypeOf(server.services.password.findUserByEmail).returns.resolves.toEqualTypeOf<Reader | null>();
  expectTypeOf(
    server.services.password.resetPassword,
  ).returns.resolves.toEqualTypeOf<LoginResult<Reader> | null>();
  expectTypeOf(server.services.friends.of).returns.resolves.toEqualTypeOf<Reader[]>();
});

test('the type of user comes from a callback that names it', () => {
  const sanitized = new AccountsServer({ ...given, userObjectSanitizer: asReader }, services);
  expectTypeOf(sanitized).toEqualTypeOf<AccountsServer<Reader, Factories>>();
  const validated = new AccountsServer(
    { ...given, resumeSessionValidator: ({ profile }: Reader) => profile.city },
    services,
  );
  expectTypeOf(validated).toEqualTypeOf<AccountsServer<Reader, Factories>>();
});

test('events tell of users of that type', () => {
  const server = new AccountsServer(options, services);
  server.on('LoginSuccess', ({ user }) => expectTypeOf(user).toEqualTypeOf<Reader>());
  server.on('LoginError', ({ user }) => expectTypeOf(user).toEqualTypeOf<Reader | null>());
});

test('named alone, the type of user leaves the services without their types', () => {
  const server = new AccountsServer<Reader>(given, services);
  expectTypeOf(server.services.password).toEqualTypeOf<AccountsService | undefined>();
  expectTypeOf(server.findUserById).returns.resolves.toEqualTypeOf<Reader | null>();
});

test('the context has the users and services of its server', () => {
  const server = new AccountsServer(options, services);
  type Context = ContextOf<typeof server>;
  expectTypeOf<Context>().toEqualTypeOf<AccountsContext<Reader, Factories>>();
  expectTypeOf<Context['user']>().toEqualTypeOf<Reader | null>();
  expectTypeOf<Context['accounts']['services']['password']>().toEqualTypeOf<PasswordService<Reader>>();
  expectTypeOf(createContext(server)).returns.resolves.toEqualTypeOf<Context>();
  expectTypeOf<Context>().toExtend<AccountsContext>();
});

function asReader(user: User): Reader {
  return { ...user, profile: { city: 'London' } };
}
