import type { AccountsDatabase } from '../ports.ts';
import { mongooseCounters } from './counters.ts';
import { createCreations } from './creations.ts';
import { explained } from './failures.ts';
import { mongooseIdentities } from './identities.ts';
import { mongooseOneTimeTokens } from './one-time-tokens.ts';
import { createPending, type Pace } from './pending.ts';
import type { Collections } from './schema.ts';
import { mongooseSessions } from './sessions.ts';
import { mongooseUsers } from './users.ts';

type Stores = Pick<AccountsDatabase, 'users' | 'identities' | 'sessions' | 'oneTimeTokens' | 'counters'>;

export function mongooseStores(open: () => Promise<Collections>, pace: Pace): Stores {
  const pending = createPending(open, pace);
  const creations = createCreations(open, pending, pace.now);
  return {
    users: explained(mongooseUsers(open, creations)),
    identities: explained(mongooseIdentities(open, creations, pending)),
    sessions: explained(mongooseSessions(open)),
    oneTimeTokens: explained(mongooseOneTimeTokens(open, pending)),
    counters: explained(mongooseCounters(open)),
  };
}
