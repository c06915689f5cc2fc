import { type Caller, done, recentOwnerOf } from '../../core/caller.ts';
import type { ServiceOperations } from '../../core/service.ts';
import type { LiveSession } from '../../core/sessions.ts';
import { AccountsError } from '../../errors.ts';
import { OAUTH_SDL } from '../../generated/sdl.ts';
import type {
  MutationLinkOAuthArgs,
  MutationOauthStartArgs,
  MutationUnlinkOAuthArgs,
} from '../../generated/types.ts';
import type { OAuthService } from './service.ts';

export function oauthOperations(service: OAuthService): ServiceOperations {
  return {
    typeDefs: OAUTH_SDL,
    needsSession: ['linkOAuth', 'unlinkOAuth'],
    ownFields: { linkedAccounts: (user) => service.linkedAccounts(user) },
    Query: { oauthProviders: () => service.listProviders() },
    Mutation: {
      oauthStart: async ({ provider, redirectUri }: MutationOauthStartArgs, caller) => {
        const session = await sessionOf(caller);
        const browser = caller.origin !== null;
        const { connection } = caller;
        const options = { redirectUri, browser, session, connection };
        const { url, state, cookie } = await service.start(provider, options);
        if (cookie !== null) caller.setCookie(cookie);
        return { url, state };
      },
      linkOAuth: async (answer: MutationLinkOAuthArgs, caller) => {
        const owner = await linkerOf(caller);
        return done(service.link(answer, { ...owner, asker: { ...caller, remote: true } }));
      },
      unlinkOAuth: async (account: MutationUnlinkOAuthArgs, caller) =>
        done(service.unlink(account, await linkerOf(caller))),
    },
  };
}

async function linkerOf(caller: Caller) {
  const { connection } = caller;
  return { live: await recentOwnerOf(caller), connection, stillThere: () => caller.session() };
}

/** Null for who is not logged in, or impersonates: that is no hindrance to a login. */
async function sessionOf(caller: Caller): Promise<LiveSession | null> {
  if (caller.accessToken === null) return null;
  try {
    const live = await caller.session();
    return live.session.actorUserId === null ? live : null;
  } catch (error) {
    if (error instanceof AccountsError && error.code === 'UNAUTHENTICATED') return null;
    throw error;
  }
}
