/** What people know a server by: its hosts and the database, without who logs in there and how. */
export function serverOf(url: string): string {
  const [, scheme = '', authority = '', path = ''] = /^([^:]+):\/\/([^/?#]*)([^?#]*)/.exec(url) ?? [];
  return `${scheme}://${authority.slice(authority.lastIndexOf('@') + 1)}${path}`;
}
