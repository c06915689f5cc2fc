/** For whom passkeys are made, in the words of WebAuthn. */
export interface RelyingParty {
  /** A domain. */
  id: string;
  name: string;
  /** Of the pages on which they are used. */
  origins: readonly string[];
}

/** A domain in ASCII and lower case, as browsers compare it. The last label of an IP address would be a number. */
const DOMAIN =
  /^(?=.{1,253}$)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)*(?!\d+$)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/;
/** What the browser's place is taken by in an app for Android: a hash of the app's certificate. */
const ANDROID_APP = /^android:apk-key-hash:[\w-]{43}$/;

/** Why passkeys cannot be made or used where they are wanted. */
export class UnfitSite extends TypeError {}

/** By the options, or else by the site. Throws UnfitSite where no browser would allow passkeys. */
export function relyingPartyOf(
  options: {
    rpId?: string | undefined;
    rpName?: string | undefined;
    origins?: readonly string[] | undefined;
  },
  siteUrl: string,
): RelyingParty {
  const site = new URL(siteUrl);
  const id = options.rpId ?? site.hostname;
  const rp = { id, name: options.rpName ?? id };
  checkRpId(id, `passkeys cannot be made for ${id}, the host of siteUrl`);
  if (options.origins) return { ...rp, origins: [...options.origins] };
  checkOrigin(site.origin, `passkeys cannot be used on ${site.origin}, the origin of siteUrl`);
  if (site.hostname !== id && !site.hostname.endsWith(`.${id}`)) {
    throw new UnfitSite(
      `rpId must be ${site.hostname}, the host of siteUrl, or a domain above it: or give origins`,
    );
  }
  return { ...rp, origins: [site.origin] };
}

export function checkRpId(id: unknown, problem = 'rpId is not valid'): void {
  if (isRpId(id)) return;
  throw new UnfitSite(
    `${problem}: it must be a domain without scheme and port, such as example.com or localhost`,
  );
}

export function isRpId(id: unknown): boolean {
  return typeof id === 'string' && DOMAIN.test(id);
}

/** Browsers allow passkeys where nobody can change the page on its way: with TLS, and on the machine itself. */
export function checkOrigin(origin: unknown, problem = 'origins holds one that is not valid'): void {
  if (typeof origin === 'string') {
    if (ANDROID_APP.test(origin)) return;
    const url = URL.parse(origin);
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocalhost(url.hostname));
    if (isSafe && url.origin === origin && DOMAIN.test(url.hostname)) return;
  }
  throw new UnfitSite(`${problem}: it must be such as https://example.com, or http://localhost:3000`);
}

function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}
