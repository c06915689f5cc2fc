/**
 * Where a page may lead on to: the address that was asked for, if it is on the site itself or on a listed origin. Null
 * otherwise, since a link to anywhere would lend our name to whoever sends it.
 */
export function returnToOf(
  query: string,
  { siteUrl, origins }: { siteUrl: string; origins: readonly string[] },
): string | null {
  const wanted = new URLSearchParams(query).get('returnTo');
  const url = wanted === null ? null : URL.parse(wanted, siteUrl);
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return null;
  return [new URL(siteUrl).origin, ...origins].includes(url.origin) ? url.href : null;
}
