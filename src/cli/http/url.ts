/** The path of a request's `url`, without the query. */
export function pathOf(url = '/'): string {
  return url.split('?', 1)[0] ?? '';
}

/** The query of a request's `url`, without its question mark. */
export function queryOf(url = ''): string {
  return url.slice(pathOf(url).length + 1);
}
