import { done } from '../../core/caller.ts';
import type { Limits } from '../../core/limits/limits.ts';
import type { ServiceOperations } from '../../core/service.ts';
import { CODE_SDL } from '../../generated/sdl.ts';
import type { MutationRequestLoginCodeArgs } from '../../generated/types.ts';
import type { CodeService } from './service.ts';

export function codeOperations(service: CodeService, limits: Limits): ServiceOperations {
  return {
    typeDefs: CODE_SDL,
    Mutation: {
      requestLoginCode: async ({ email }: MutationRequestLoginCodeArgs, { connection }) => {
        await limits.mailFrom(connection.ip);
        return done(service.requestLoginCode(email));
      },
    },
  };
}
