import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, LOG_IN, PASSWORD, SIGN_UP } from '../cli/child.ts';
import type { Subject } from './features.ts';
import { start } from './stage.ts';
import { openWebSocket } from './streams.ts';

/** The example of Hive Gateway once more, with the option `cookie`, and with a socket as the first that asks. */
export async function gatewayWithCookies({ folder, url }: Subject): Promise<void> {
  for (const file of ['server.ts', 'subgraphs.ts']) {
    const path = join(folder, file);
    const code = readFileSync(path, 'utf8')
      .replace('useAccounts(accountsServer)', 'useAccounts(accountsServer, { cookie: true })')
      .replace(
        'useAccounts(accountsServer, { trusted',
        'useAccounts(accountsServer, { cookie: true, trusted',
      );
    writeFileSync(path, code);
  }
  const gateway = await start(folder, new URL(url).pathname);
  try {
    const socket = await openWebSocket(gateway.url, '{ getUser { id } }', null);
    await socket.until('{"getUser":null}');
    await socket.close();

    const email = 'cookie@example.com';
    await ask(gateway.url, SIGN_UP, { user: { email, password: PASSWORD } });
    const login = (headers: object) =>
      ask(gateway.url, LOG_IN, { user: { email }, password: PASSWORD }, headers);
    const { headers } = await login({ 'x-accounts-csrf': '1' });
    const [cookie = ''] = (headers.get('set-cookie') ?? '').split(';');
    const read = async (more: object) =>
      JSON.stringify(await ask(gateway.url, '{ diary }', {}, { cookie, ...more }));
    if (!(await read({ 'x-accounts-csrf': '1' })).includes('Diary of'))
      throw new Error('no cookie comes through');
    if ((await read({})).includes('Diary of')) throw new Error('the cookie counts without its header');
  } finally {
    await gateway.stop();
  }
}
