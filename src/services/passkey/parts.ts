import type { ServiceContext } from '../../core/service.ts';
import type { UserRecord } from '../../database/ports.ts';
import { Challenges } from './challenges.ts';
import type { ResolvedPasskeyOptions } from './options.ts';
import { Passkeys } from './passkeys.ts';

/** What the operations of the service share. */
export interface PasskeyParts extends ServiceContext {
  options: ResolvedPasskeyOptions;
  passkeys: Passkeys;
  challenges: Challenges;
  /** Tells the owner what became of the passkeys. */
  notifyOwner(template: 'passkeyAdded' | 'passkeyRemoved', user: UserRecord): void;
}

export function createParts(context: ServiceContext, options: ResolvedPasskeyOptions): PasskeyParts {
  return {
    ...context,
    options,
    passkeys: new Passkeys(context.users),
    challenges: new Challenges(context.oneTimeTokens),
    notifyOwner(template, user) {
      if (options.notifiesUser) context.mailer.notify(template, user);
    },
  };
}
