import { type Caller, done, recentOwnerOf } from '../../core/caller.ts';
import type { ServiceOperations } from '../../core/service.ts';
import { toSessionInfo } from '../../core/sessions.ts';
import { TWO_FACTOR_SDL } from '../../generated/sdl.ts';
import type { MutationTwoFactorSetArgs, MutationTwoFactorUnsetArgs } from '../../generated/types.ts';
import type { FactorChanger } from './change.ts';
import type { TwoFactorService } from './service.ts';

export function twoFactorOperations(service: TwoFactorService): ServiceOperations {
  return {
    typeDefs: TWO_FACTOR_SDL,
    needsSession: ['twoFactorSecret', 'twoFactorSet', 'twoFactorUnset', 'generateRecoveryCodes'],
    ownFields: { twoFactorEnabled: ({ id }) => service.isEnabled(id) },
    Query: {
      twoFactorSecret: async (_args: unknown, caller) =>
        service.createSecret((await recentOwnerOf(caller)).user.id),
    },
    Mutation: {
      // Only the code is read (S32): a secret that came from a client may be one that somebody else knows.
      twoFactorSet: async ({ code }: MutationTwoFactorSetArgs, caller) => {
        const { userId, by } = await changerOf(caller);
        return done(service.set(userId, code, by));
      },
      twoFactorUnset: async ({ code }: MutationTwoFactorUnsetArgs, caller) => {
        const { userId, by } = await changerOf(caller);
        return done(service.unset(userId, code, by));
      },
      generateRecoveryCodes: async (_args: unknown, caller) => {
        const { userId, by } = await changerOf(caller);
        return service.generateRecoveryCodes(userId, by);
      },
    },
  };
}

async function changerOf(caller: Caller): Promise<{ userId: string; by: FactorChanger }> {
  const { user, session } = await recentOwnerOf(caller);
  const { connection } = caller;
  return {
    userId: user.id,
    by: { session: toSessionInfo(session), connection, stillThere: () => caller.session() },
  };
}
