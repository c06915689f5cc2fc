import { done } from '../../core/caller.ts';
import type { Limits } from '../../core/limits/limits.ts';
import type { ServiceOperations } from '../../core/service.ts';
import { MAGIC_LINK_SDL } from '../../generated/sdl.ts';
import type { MutationRequestMagicLinkEmailArgs } from '../../generated/types.ts';
import type { ResolvedMagicLinkOptions } from './options.ts';
import type { MagicLinkService } from './service.ts';

export function magicLinkOperations(
  service: MagicLinkService,
  limits: Limits,
  { signUp }: ResolvedMagicLinkOptions,
): ServiceOperations {
  return {
    typeDefs: MAGIC_LINK_SDL,
    Mutation: {
      requestMagicLinkEmail: async ({ email }: MutationRequestMagicLinkEmailArgs, { connection }) => {
        await limits.mailFrom(connection.ip);
        // Of every request, known address or not: each may become a new user.
        if (signUp) await limits.signUp(connection.ip);
        return done(service.requestMagicLinkEmail(email));
      },
    },
  };
}
