import { type Caller, done, ownerOf, recentOwnerOf } from '../../core/caller.ts';
import type { ServiceOperations } from '../../core/service.ts';
import { PASSKEY_SDL } from '../../generated/sdl.ts';
import type {
  MutationPasskeyRegisterArgs,
  MutationPasskeyRemoveArgs,
  MutationPasskeyRenameArgs,
  Passkey as PasskeyAnswer,
} from '../../generated/types.ts';
import type { Passkey } from './passkeys.ts';
import type { PasskeyService } from './service.ts';

export function passkeyOperations(service: PasskeyService): ServiceOperations {
  return {
    typeDefs: PASSKEY_SDL,
    needsSession: [
      'passkeys',
      'passkeyRegistrationOptions',
      'passkeyRegister',
      'passkeyRename',
      'passkeyRemove',
    ],
    Query: {
      passkeys: async (_args, caller: Caller) =>
        (await service.list((await caller.session()).user.id)).map(answer),
    },
    Mutation: {
      passkeyRegistrationOptions: async (_args, caller) => {
        const { user, session } = await recentOwnerOf(caller);
        return service.createRegistrationOptions(user.id, { sessionId: session.id });
      },
      passkeyRegister: async ({ response, name }: MutationPasskeyRegisterArgs, caller) => {
        const { user, session } = await recentOwnerOf(caller);
        const from = {
          sessionId: session.id,
          connection: caller.connection,
          stillThere: () => caller.session(),
        };
        return answer(await service.register(user.id, response, { ...from, name: name ?? null }));
      },
      passkeyRename: async ({ id, name }: MutationPasskeyRenameArgs, caller) =>
        answer(
          await service.rename((await ownerOf(caller)).user.id, id, name, { connection: caller.connection }),
        ),
      passkeyRemove: async ({ id }: MutationPasskeyRemoveArgs, caller) => {
        const from = { connection: caller.connection, stillThere: () => caller.session() };
        return done(service.remove((await recentOwnerOf(caller)).user.id, id, from));
      },
      passkeyLoginOptions: (_args, { connection }) => service.createLoginOptions(connection),
    },
  };
}

function answer({ id, name, createdAt, lastUsedAt, backedUp }: Passkey): PasskeyAnswer {
  const used = lastUsedAt?.toISOString() ?? null;
  return { id, name, createdAt: createdAt.toISOString(), lastUsedAt: used, backedUp };
}
