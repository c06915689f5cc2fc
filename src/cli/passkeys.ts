import type { ServiceFactory } from '../core/service.ts';
import { MissingPackage } from '../need-package.ts';
import { type PasskeyService, passkey } from '../services/passkey/index.ts';
import { relyingPartyOf, UnfitSite } from '../services/passkey/relying-party.ts';
import { BadConfiguration, reasonOf } from './bad-configuration.ts';
import type { Log } from './log.ts';

/**
 * Passkeys, where they can be used: with the package that verifies them, on a site on which browsers allow them.
 * Otherwise they are left out and the log says why; who has set RP_ID wants them, and gets a BadConfiguration.
 */
export function choosePasskeys(
  rpId: string | null,
  siteUrl: string,
  log: Pick<Log, 'warn'>,
): { passkey?: ServiceFactory<PasskeyService> } {
  const options = rpId === null ? {} : { rpId };
  try {
    const service = passkey(options);
    relyingPartyOf(options, siteUrl);
    return { passkey: service };
  } catch (error) {
    if (!(error instanceof UnfitSite || error instanceof MissingPackage)) throw error;
    if (rpId !== null) throw new BadConfiguration(`RP_ID: ${reasonOf(error)}`);
    log.warn(`passkeys are off: ${reasonOf(error)}`);
    return {};
  }
}
