import type { Caller, ServiceOperations } from '../../core/service.ts';
import { type LiveSession, refuseImpersonated } from '../../core/sessions.ts';
import { PASSWORD_SDL } from '../../generated/sdl.ts';
import type {
  MutationAddEmailArgs,
  MutationChangePasswordArgs,
  MutationCreateUserArgs,
  MutationRemoveEmailArgs,
  MutationResetPasswordArgs,
  MutationSendResetPasswordEmailArgs,
  MutationSendVerificationEmailArgs,
  MutationSetUsernameArgs,
  MutationVerifyEmailArgs,
} from '../../generated/types.ts';
import type { PasswordService } from './service.ts';

export function passwordOperations(service: PasswordService): ServiceOperations {
  return {
    typeDefs: PASSWORD_SDL,
    needsSession: ['addEmail', 'removeEmail', 'setUsername', 'changePassword'],
    Mutation: {
      createUser: ({ user }: MutationCreateUserArgs, { connection }) =>
        service.createUser({ ...user }, connection),
      verifyEmail: ({ token }: MutationVerifyEmailArgs) => done(service.verifyEmail(token)),
      resetPassword: ({ token, newPassword }: MutationResetPasswordArgs, { connection }) =>
        service.resetPassword(token, newPassword, connection),
      sendVerificationEmail: ({ email }: MutationSendVerificationEmailArgs, caller) =>
        done(service.sendVerificationEmail(email, () => requester(caller))),
      sendResetPasswordEmail: ({ email }: MutationSendResetPasswordEmailArgs) =>
        done(service.sendResetPasswordEmail(email)),
      addEmail: async ({ newEmail }: MutationAddEmailArgs, caller) =>
        done(service.addEmail((await owner(caller)).user.id, newEmail, false, () => caller.session())),
      removeEmail: async ({ email }: MutationRemoveEmailArgs, caller) =>
        done(service.removeEmail((await owner(caller)).user.id, email, () => caller.session())),
      setUsername: async ({ newUsername }: MutationSetUsernameArgs, caller) =>
        done(service.setUsername((await owner(caller)).user.id, newUsername)),
      changePassword: async ({ oldPassword, newPassword }: MutationChangePasswordArgs, caller) => {
        const { user, session } = await owner(caller);
        const from = { session, connection: caller.connection };
        return done(service.changePassword(user.id, oldPassword, newPassword, from));
      },
    },
  };
}

/** Boolean mutations answer true when done. */
async function done(work: Promise<void>): Promise<true> {
  await work;
  return true;
}

/** Who changes how the account is entered must be its owner, not somebody who impersonates. */
async function owner(caller: Caller): Promise<LiveSession> {
  const live = await caller.session();
  refuseImpersonated(live.session);
  return live;
}

async function requester(caller: Caller) {
  return caller.accessToken === null
    ? null
    : caller.session().then(
        ({ user }) => user,
        () => null,
      );
}
