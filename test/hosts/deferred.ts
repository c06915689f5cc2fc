/** What a server answers to a query in which something is deferred: all its parts. */
export async function readDeferred(url: string, query: string, headers: object): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'multipart/mixed, multipart/mixed;deferSpec=20220824, application/json',
      ...headers,
    },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  if (!response.headers.get('content-type')?.startsWith('multipart/mixed'))
    throw new Error(`nothing is deferred: ${text}`);
  return text;
}
