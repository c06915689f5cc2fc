import { type Caller, done, ownerOf, recentOwnerOf } from '../../core/caller.ts';
import type { Limits } from '../../core/limits/limits.ts';
import type { ServiceOperations } from '../../core/service.ts';
import { toSessionInfo } from '../../core/sessions.ts';
import { PASSWORD_SDL } from '../../generated/sdl.ts';
import type {
  MutationAddEmailArgs,
  MutationChangePasswordArgs,
  MutationCreateUserArgs,
  MutationRejectEmailArgs,
  MutationRemoveEmailArgs,
  MutationResetPasswordArgs,
  MutationSendResetPasswordEmailArgs,
  MutationSendVerificationEmailArgs,
  MutationSetUsernameArgs,
  MutationVerifyEmailArgs,
} from '../../generated/types.ts';
import type { PasswordService } from './service.ts';

export function passwordOperations(service: PasswordService, limits: Limits): ServiceOperations {
  return {
    typeDefs: PASSWORD_SDL,
    needsSession: ['addEmail', 'removeEmail', 'setUsername', 'changePassword'],
    Mutation: {
      createUser: async ({ user }: MutationCreateUserArgs, { connection }) => {
        await limits.signUp(connection.ip);
        return service.createUser({ ...user }, connection);
      },
      verifyEmail: ({ token }: MutationVerifyEmailArgs) => done(service.verifyEmail(token)),
      rejectEmail: ({ token }: MutationRejectEmailArgs) => done(service.rejectEmail(token)),
      resetPassword: ({ token, newPassword }: MutationResetPasswordArgs, { connection }) =>
        service.resetPassword(token, newPassword, connection),
      sendVerificationEmail: async ({ email }: MutationSendVerificationEmailArgs, caller) => {
        await limits.mailFrom(caller.connection.ip);
        return done(service.sendVerificationEmail(email, () => requester(caller)));
      },
      sendResetPasswordEmail: async ({ email }: MutationSendResetPasswordEmailArgs, { connection }) => {
        await limits.mailFrom(connection.ip);
        return done(service.sendResetPasswordEmail(email));
      },
      addEmail: async ({ newEmail }: MutationAddEmailArgs, caller) => {
        const { user } = await recentOwnerOf(caller);
        await limits.mailFrom(caller.connection.ip);
        return done(service.addEmail(user.id, newEmail, false, () => caller.session()));
      },
      removeEmail: async ({ email }: MutationRemoveEmailArgs, caller) =>
        done(service.removeEmail((await recentOwnerOf(caller)).user.id, email, () => caller.session())),
      setUsername: async ({ newUsername }: MutationSetUsernameArgs, caller) =>
        done(service.setUsername((await ownerOf(caller)).user.id, newUsername)),
      changePassword: async ({ oldPassword, newPassword }: MutationChangePasswordArgs, caller) => {
        const { user, session } = await ownerOf(caller);
        const from = { session: toSessionInfo(session), connection: caller.connection };
        return done(service.changePassword(user.id, oldPassword, newPassword, from));
      },
    },
  };
}

async function requester(caller: Caller) {
  return caller.accessToken === null
    ? null
    : caller.session().then(
        ({ user }) => user,
        () => null,
      );
}
